"""One layer or loss, and how it is tried."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable

import torch
from torch import Tensor, nn

Batch = tuple[Tensor, ...]

IN_DOUBLE = ", float64"
"""What the name of a case in float64 ends with."""


@dataclass(frozen=True)
class Case:
    """One layer or loss.

    Attributes:
        name: what it is, as one would write it.
        model: makes the module; its forward takes a batch and returns a scalar loss.
        batch: the batch of a step. Gradients of its first tensor are compared if it is floating.
        dtype: of parameters and floating inputs.
        eager: why it runs eagerly under ortwrap; None when it must run on ONNX Runtime.
        eager_in_double: the same for its parameters and inputs in float64.
    """

    name: str
    model: Callable[[], nn.Module]
    batch: Callable[[int], Batch]
    dtype: torch.dtype = torch.float32
    eager: str | None = None
    eager_in_double: str | None = None


class Scored(nn.Module):
    """A layer and a loss on what it returns that no symmetry of the layer makes constant."""

    def __init__(self, layer: nn.Module | Callable[..., Any]) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *batch: Tensor) -> Tensor:
        result = self.layer(*batch)
        y = result[0] if isinstance(result, tuple) else result
        loss: Tensor = (y * y * y + y * y).mean()
        return loss


class AfterLinear(nn.Module):
    """A function of what a linear layer returns: its gradient reaches parameters and inputs."""

    def __init__(self, function: Callable[..., Tensor], features: int = 6) -> None:
        super().__init__()
        self.linear = nn.Linear(4, features)
        self.function = function

    def forward(self, x: Tensor, *rest: Tensor) -> Tensor:
        y = self.function(self.linear(x), *rest)
        return (y * y * y + y * y).mean() if y.dim() else y


def noise(*shape: int, grows: bool = True) -> Callable[[int], Batch]:
    """Batches of normal noise; the first size changes from step to step unless told otherwise."""

    def batch(step: int) -> Batch:
        first, *others = shape
        return (torch.randn(first + (step if grows else 0), *others),)

    return batch


def layers(table: dict[str, Callable[[], nn.Module]], shape: Sequence[int]) -> Iterator[Case]:
    """A case for each layer: it is applied to noise of `shape`."""
    for name, make in table.items():
        yield Case(name, _scored(make), noise(*shape))


def _scored(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    return lambda: Scored(make())


def functions(table: dict[str, Callable[..., Tensor]]) -> Iterator[Case]:
    """A case for each function: it is applied to a matrix that a linear layer returns."""
    for name, function in table.items():
        yield Case(name, _after_linear(function), noise(3, 4))


def _after_linear(function: Callable[..., Tensor]) -> Callable[[], nn.Module]:
    return lambda: AfterLinear(copy.deepcopy(function))


def in_both_precisions(cases: Iterable[Case]) -> Iterator[Case]:
    """Each case, and the same in float64."""
    for case in cases:
        yield case
        eager = case.eager or case.eager_in_double
        yield replace(case, name=f"{case.name}{IN_DOUBLE}", dtype=torch.float64, eager=eager)
