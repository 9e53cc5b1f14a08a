"""The optimizers that stepped, the parameters they train, and the state these end in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from ortwrap.proof.recorder.modules import snapshot
from ortwrap.proof.recorder.optimizers import Updates, parameters_of

NO_GRADIENT = -1.0
_PIECE = 2**20


class Trained:
    """Optimizers in the order of their first step.

    A parameter is known by its optimizer and its place there, `0/3`, which is the same on
    both sides whatever holds the module; its name is for reading only.
    """

    def __init__(self) -> None:
        self._optimizers: list[Updates] = []

    def is_new(self, optimizer: Updates) -> bool:
        """Whether `optimizer` has not stepped before."""
        return all(each is not optimizer for each in self._optimizers)

    def add(self, optimizer: Updates) -> None:
        """Remember an optimizer that has just made its first step."""
        self._optimizers.append(optimizer)

    def parameters(self) -> list[nn.Parameter]:
        """Every trained parameter, optimizer by optimizer."""
        return [p for optimizer in self._optimizers for p in parameters_of(optimizer)]

    def grad_norms(self, optimizer: Updates) -> tuple[int, torch.Tensor]:
        """The optimizer's index and the norm of each of its gradients, float32 of shape (P,).

        `NO_GRADIENT` stands for a parameter without one.
        """
        index = next(i for i, each in enumerate(self._optimizers) if each is optimizer)
        norms = [_norm(p.grad) for p in parameters_of(optimizer)]
        return index, torch.stack(norms) if norms else torch.zeros(0)

    def checksums(self, optimizer: Updates) -> torch.Tensor:
        """Sum and norm of each parameter of `optimizer`, float64 of shape (P, 2).

        From one step to the next they tell which parameters an update moved otherwise, without
        a copy of any.
        """
        sums = [_checksum(p.detach()) for p in parameters_of(optimizer)]
        return torch.stack(sums) if sums else torch.zeros(0, 2, dtype=torch.float64)

    def learning_rates(self, optimizer: Updates) -> list[float]:
        """What `optimizer` has just stepped with, by group."""
        return [float(group["lr"]) for group in optimizer.param_groups if "lr" in group]

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
        return {
            "trained": trained,
            "names": names,
            "frozen": frozen,
            "buffers": buffers,
            "remembered": self._remembered(),
            "settings": self._settings(),
        }

    def _remembered(self) -> dict[str, torch.Tensor]:
        """What the optimizers remember of each parameter, `0/3/exp_avg`: averages, counts."""
        return {
            f"{i}/{j}/{kind}": snapshot(torch.as_tensor(value))
            for i, optimizer in enumerate(self._optimizers)
            for j, parameter in enumerate(parameters_of(optimizer))
            for kind, value in sorted(optimizer.state.get(parameter, {}).items())
            if isinstance(value, (torch.Tensor, float, int))
        }

    def _settings(self) -> dict[str, float]:
        """Numbers that the optimizers work with at the end, `0/1/lr`: a schedule moves them."""
        return {
            f"{i}/{j}/{name}": float(value)
            for i, optimizer in enumerate(self._optimizers)
            for j, group in enumerate(optimizer.param_groups)
            for name, value in _numbers_in(group)
        }


def _checksum(parameter: torch.Tensor) -> torch.Tensor:
    sums = torch.zeros(2, dtype=torch.float64)
    if parameter.layout != torch.strided or parameter.is_complex():
        return sums
    # Piece by piece: a whole table of words in float64 would be the peak of the memory.
    for piece in torch.split(parameter.reshape(-1), _PIECE):
        wide = piece.double()
        sums += torch.stack([wide.sum(), wide.square().sum()]).cpu()
    sums[1].sqrt_()
    return sums


def _numbers_in(group: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The numbers of an optimizer's group by name; those of `betas` one by one."""
    for name, value in group.items():
        if isinstance(value, (float, int)) or _is_number(value):
            yield name, value
        elif isinstance(value, tuple):
            for place, each in enumerate(value):
                if isinstance(each, (float, int)) or _is_number(each):
                    yield f"{name}[{place}]", each


def _is_number(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.numel() == 1


def _norm(gradient: Any) -> torch.Tensor:
    if gradient is None:
        return torch.tensor(NO_GRADIENT)
    dense: torch.Tensor = gradient.detach()
    if dense.layout == torch.sparse_coo:
        dense = dense.coalesce().values()
    wide = dense.to(torch.promote_types(dense.dtype, torch.float32))
    norm: torch.Tensor = torch.linalg.vector_norm(wide)
    return norm.float().cpu()
