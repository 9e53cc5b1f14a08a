"""What one process has been seen to do: losses, and steps with their gradients and updates."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import torch

from ortwrap.proof.recorder import dice, dropout
from ortwrap.proof.recorder.executed import loss_computed_in_graph, ran_on_ort
from ortwrap.proof.recorder.modules import Roots, snapshot
from ortwrap.proof.recorder.optimizers import Updates
from ortwrap.proof.recorder.trained import Trained


class Tape:
    """Grows by losses and steps, and is written once.

    Args:
        transparent: names of generated wrapper classes.
        only_time: note nothing that takes a look at tensors; only times are wanted.
    """

    def __init__(self, transparent: tuple[str, ...], only_time: bool = False) -> None:
        self._transparent = transparent
        self._only_time = only_time
        self._started = time.time()
        self._losses: list[torch.Tensor] = []
        self._loss_on_ort: list[bool] = []
        self._loss_in_graph: list[bool] = []
        self._dice: list[dice.Places] = []
        self.forget_steps()

    def forget_steps(self) -> None:
        """What was taken for steps was none; the losses stay, as those of the first step."""
        self.roots = Roots(self._transparent)
        self._trained = Trained()
        self._owners_are_known = False
        self._loss_steps = [0] * len(self._losses)
        self._seconds: list[float] = []
        self._grad_norms: list[tuple[int, torch.Tensor]] = []
        self._learning_rates: list[list[float]] = []
        self._checksums: list[torch.Tensor] = []
        self._in_evaluation: list[list[str]] = []

    @property
    def steps(self) -> int:
        """Steps made."""
        return len(self._seconds)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was seen."""
        return not (self._losses or self._seconds)

    @property
    def seconds(self) -> float:
        """Time of all steps."""
        return sum(self._seconds)

    def note_losses(self, tensors: Any) -> None:
        """A backward begins from a tensor or several."""
        each = [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)
        for tensor in each:
            value = tensor.detach()
            self._losses.append(value.clone() if value.numel() == 1 else value.mean())
            self._loss_steps.append(self.steps)
            self._loss_on_ort.append(ran_on_ort(tensor))
            self._loss_in_graph.append(loss_computed_in_graph(tensor))
            if not self._only_time:
                self._dice.append(dice.places())

    def note_start(self, optimizer: Updates) -> None:
        """`optimizer` is about to step: all that moved its weights before has done so."""
        if self._trained.is_new(optimizer):
            self._trained.add(optimizer)
            self._owners_are_known = False
        if not self._only_time:
            del self._checksums[self.steps :]  # of a step that raised
            self._checksums.append(self._trained.checksums(optimizer))

    def note_gradients(self, optimizer: Updates) -> None:
        """The gradients that a step of `optimizer` is made with."""
        if not self._only_time:
            self._grad_norms.append(self._trained.grad_norms(optimizer))

    def note_step(self, optimizer: Updates, seconds: float) -> None:
        """A step of `optimizer` is done, its gradients noted."""
        self._seconds.append(seconds)
        self._learning_rates.append(self._trained.learning_rates(optimizer))

    def note_modes(self) -> None:
        """The modules that are in evaluation mode, once their owners are known."""
        if not self._only_time:
            now = self.roots.in_evaluation()
            same = self._in_evaluation and self._in_evaluation[-1] == now
            self._in_evaluation.append(self._in_evaluation[-1] if same else now)

    def find_owners(self) -> None:
        """Look up the modules whose parameters are trained, while they are there.

        That walks the heap, so it is done once for each optimizer.
        """
        if not self._owners_are_known:
            self._owners_are_known = True
            self.roots.add_owners(self._trained.parameters())

    def _final_state(self) -> dict[str, Any]:
        if self._only_time:
            return {**Trained().state({}), **Roots(()).bystanders(None)}
        return {
            **self._trained.state(dict(self.roots.named())),
            **self.roots.bystanders(self._trained.parameters()),
        }

    def write(self, path: Path, **more: Any) -> None:
        """Write everything, whole or not at all, `more` included."""
        content = {
            "started": self._started,
            "losses": [float(loss) for loss in self._losses],
            "loss_dtypes": [str(loss.dtype) for loss in self._losses],
            "loss_steps": self._loss_steps,
            "loss_on_ort": self._loss_on_ort,
            "loss_in_graph": self._loss_in_graph,
            "step_seconds": self._seconds,
            "grad_norms": [(index, snapshot(norms)) for index, norms in self._grad_norms],
            "learning_rates": [tuple(rates) for rates in self._learning_rates],
            "checksums": self._checksums[: self.steps],
            "dice": self._dice,
            "in_evaluation": self._in_evaluation,
            "dropout_calls": sorted(dropout.calls),
            **self._final_state(),
            **more,
        }
        unfinished = path.with_suffix(".unfinished")
        torch.save(content, unfinished)
        os.replace(unfinished, path)
