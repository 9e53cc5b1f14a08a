"""The optimizers that stepped, the parameters they train, and the state these end in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import Optimizer

from ortwrap.proof.recorder.modules import snapshot
from ortwrap.proof.recorder.optimizers import parameters_of

NO_GRADIENT = -1.0


class Trained:
    """Optimizers in the order of their first step.

    A parameter is known by its optimizer and its place there, `0/3`, which is the same on
    both sides whatever holds the module; its name is for reading only.
    """

    def __init__(self) -> None:
        self._optimizers: list[Optimizer] = []

    def is_new(self, optimizer: Optimizer) -> bool:
        """Whether `optimizer` has not stepped before."""
        return all(each is not optimizer for each in self._optimizers)

    def add(self, optimizer: Optimizer) -> None:
        """Remember an optimizer that has just made its first step."""
        self._optimizers.append(optimizer)

    def parameters(self) -> list[nn.Parameter]:
        """Every trained parameter, optimizer by optimizer."""
        return [p for optimizer in self._optimizers for p in parameters_of(optimizer)]

    def grad_norms(self, optimizer: Optimizer) -> tuple[int, torch.Tensor]:
        """The optimizer's index and the norm of each of its gradients, float32 of shape (P,).

        `NO_GRADIENT` stands for a parameter without one.
        """
        index = next(i for i, each in enumerate(self._optimizers) if each is optimizer)
        return index, torch.stack([_norm(p.grad) for p in parameters_of(optimizer)])

    def state(self, roots: Mapping[str, nn.Module]) -> dict[str, Any]:
        """What is compared at the end: trained and frozen parameters, and buffers.

        Args:
            roots: the outermost modules, by a name that is the same on both sides.
        """
        keys = {
            id(parameter): f"{i}/{j}"
            for i, optimizer in enumerate(self._optimizers)
            for j, parameter in enumerate(parameters_of(optimizer))
        }
        names: dict[str, str] = {}
        frozen: dict[str, torch.Tensor] = {}
        buffers: dict[str, torch.Tensor] = {}
        for root_name, root in roots.items():
            for name, parameter in root.named_parameters():
                key = keys.get(id(parameter))
                if key is None:
                    frozen[f"{root_name}.{name}"] = snapshot(parameter)
                else:
                    names[key] = f"{root_name}.{name}"
            for name, buffer in root.named_buffers():
                buffers[f"{root_name}.{name}"] = snapshot(buffer)
        trained = {keys[id(parameter)]: snapshot(parameter) for parameter in self.parameters()}
        return {"trained": trained, "names": names, "frozen": frozen, "buffers": buffers}


def _norm(gradient: Any) -> torch.Tensor:
    if gradient is None:
        return torch.tensor(NO_GRADIENT)
    dense: torch.Tensor = gradient.detach()
    if dense.layout == torch.sparse_coo:
        dense = dense.coalesce().values()
    wide = dense.to(torch.promote_types(dense.dtype, torch.float32))
    norm: torch.Tensor = torch.linalg.vector_norm(wide)
    return norm.float().cpu()
