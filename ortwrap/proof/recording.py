"""What a recorder wrote, as values."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from ortwrap.proof.printed import Printed, PrintedLosses
from ortwrap.proof.recorder.dice import Places

_WARM_UP_SHARE = 4
_WARM_UP_STEPS = 5
_PIECE = 2**16
_KINDS_TOLD_APART = 4


StepsBy = Literal["optimizer", "backward"]


@dataclass(frozen=True)
class Recording:
    """One process of one run.

    Attributes:
        rank: its rank in a distributed run, else 0.
        steps_by: what a step is: an optimizer's, or, where none ever stepped, a backward
            and what the script does until the next one.
        losses: the value of every backward, in order.
        loss_dtypes: `torch.float32` and the like, of each.
        loss_steps: optimizer steps made before each backward.
        loss_on_ort: whether an ORTModule call stands in the history of each.
        loss_in_graph: whether each came out of an ORTModule call.
        step_seconds: time of each optimizer step, the recorder's own taken off.
        grad_norms: for every step, which optimizer made it and float32 norms of shape (P,).
        learning_rates: what every step was made with, by group.
        checksums: sum and norm of each parameter of an optimizer just before each of its steps,
            float64 of shape (P, 2).
        dice: at each backward, where the random generators stood.
        in_evaluation: after every step, the modules that were in evaluation mode.
        dropout_calls: how dropouts were called outside of graphs: whether they would have been
            active, and whether gradients were recorded.
        trained: final value of each trained parameter, by optimizer and place.
        names: a readable name for the keys of `trained`.
        frozen: final value of the other parameters, by name.
        buffers: final value of the buffers, by name.
        other_parameters: final value of those of modules that no optimizer trains, by name.
        other_buffers: the same of their buffers.
        remembered: what the optimizers remember of each parameter, `0/3/exp_avg`.
        settings: numbers that the optimizers end with, by optimizer and group, `0/1/lr`.
        peak_memory: largest resident size in bytes.
        threads: torch's intra-op threads.
        compiled_frames: how many functions torch.compile has compiled.
        exception: the uncaught exception that ended the script.
        printed: losses and scores in what this process printed.
    """

    rank: int
    steps_by: StepsBy
    losses: tuple[float, ...]
    loss_dtypes: tuple[str, ...]
    loss_steps: tuple[int, ...]
    loss_on_ort: tuple[bool, ...]
    loss_in_graph: tuple[bool, ...]
    step_seconds: tuple[float, ...]
    grad_norms: tuple[tuple[int, torch.Tensor], ...]
    learning_rates: tuple[tuple[float, ...], ...]
    checksums: tuple[torch.Tensor, ...]
    dice: tuple[Places, ...]
    in_evaluation: tuple[list[str], ...]
    dropout_calls: tuple[tuple[bool, bool], ...]
    trained: Mapping[str, torch.Tensor]
    names: Mapping[str, str]
    frozen: Mapping[str, torch.Tensor]
    buffers: Mapping[str, torch.Tensor]
    other_parameters: Mapping[str, torch.Tensor]
    other_buffers: Mapping[str, torch.Tensor]
    remembered: Mapping[str, torch.Tensor]
    settings: Mapping[str, float]
    peak_memory: int | None
    threads: int
    compiled_frames: int
    exception: str | None
    printed: tuple[Printed, ...] = ()

    @property
    def steps(self) -> int:
        """Optimizer steps made."""
        return len(self.step_seconds)

    @property
    def ms_per_step(self) -> float | None:
        """Median milliseconds of a step after the warm-up."""
        measured = self.step_seconds[warm_up(self.steps) :]
        return 1000 * statistics.median(measured) if measured else None

    @property
    def loss_kinds(self) -> tuple[int, ...]:
        """Where several optimizers take turns: of each loss, which of their losses it is.

        The first and the second backward before a step of one optimizer are losses of two kinds.
        Empty where one optimizer steps, or where there are more kinds than one can tell apart.
        """
        if len({optimizer for optimizer, _ in self.grad_norms}) < 2:
            return ()
        kinds: dict[tuple[int, int], int] = {}
        found = []
        for number, step in enumerate(self.loss_steps):
            optimizer = self.grad_norms[min(step, self.steps - 1)][0]
            kind = optimizer, number - self.loss_steps.index(step)
            found.append(kinds.setdefault(kind, len(kinds)))
        return tuple(found) if len(kinds) <= _KINDS_TOLD_APART else ()

    def moves(self, step: int) -> tuple[int, torch.Tensor]:
        """An optimizer, and how its checksums moved up to a step (from 0) since its last one.

        For its first step, the checksums themselves.
        """
        optimizer = self.grad_norms[step][0]
        earlier = [n for n in range(step) if self.grad_norms[n][0] == optimizer]
        now = self.checksums[step]
        before = self.checksums[earlier[-1]] if earlier else torch.zeros_like(now)
        return optimizer, now - before if now.shape == before.shape else torch.zeros_like(now)

    def is_first_of_its_optimizer(self, step: int) -> bool:
        """Whether the optimizer that makes a step (from 0) has made none before."""
        return all(self.grad_norms[n][0] != self.grad_norms[step][0] for n in range(step))

    def name(self, key: str) -> str:
        """A readable name for a key of `trained`."""
        optimizer, _, place = key.partition("/")
        return self.names.get(key, f"optimizer {optimizer}, parameter {place}")

    def name_of_remembered(self, key: str) -> str:
        """A readable name for a key of `remembered`: `exp_avg of Net.weight`."""
        parameter, _, kind = key.rpartition("/")
        return f"{kind} of {self.name(parameter)}"

    def name_of_setting(self, key: str) -> str:
        """A readable name for a key of `settings`: `lr of optimizer 0, group 1`."""
        optimizer, group, kind = key.split("/", 2)
        return f"{kind} of optimizer {optimizer}, group {group}"


def warm_up(steps: int) -> int:
    """How many first steps are left out of timing: exports, compilation, cold caches.

    The very first step is always left out: its beginning is not seen.
    """
    return max(1, min(_WARM_UP_STEPS, steps // _WARM_UP_SHARE))


def read_recordings(folder: Path) -> tuple[Recording, ...]:
    """Every recording in `folder`, in the order of ranks, then of starting times."""
    contents = [
        {
            **torch.load(path, map_location="cpu", weights_only=True),
            "printed": _printed(folder / f"{path.stem.partition('-')[2]}.said"),
        }
        for path in sorted(folder.glob("*.recording"))
    ]
    contents.sort(key=lambda content: (content["rank"], content["started"]))
    recordings = [_recording(content) for content in contents if content["step_seconds"]]
    by_optimizer = tuple(each for each in recordings if each.steps_by == "optimizer")
    # Beside a process that trains, one that only asks for gradients is a helper.
    return by_optimizer or tuple(recordings)


def _printed(said: Path) -> tuple[Printed, ...]:
    losses = PrintedLosses()
    with contextlib.suppress(FileNotFoundError), open(said, "rb") as text:
        while piece := text.read(_PIECE):
            losses.feed(piece)
    return losses.all()


def _recording(content: Mapping[str, Any]) -> Recording:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in content.items()
        if name != "started"
    }
    return Recording(**fields)
