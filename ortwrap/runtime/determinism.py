"""Torch without chance, in eager and inside of a graph, so that the two can be compared.

With every dropout off and every draw replaced by one fixed value, on both sides, what is left must
agree. `calm_graphs` does the same to what ONNX Runtime itself draws.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Callable
from unittest import mock

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from .operators.calls import TorchCall

# The one value in place of a draw from a normal or a uniform distribution on [0, 1).
DRAWN = 0.5


class WithoutChance(TorchDispatchMode):
    """Makes what torch draws inside constant: a dropout then drops nothing."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        draw = _DRAWS.get(func.overloadpacket)
        if draw is not None:
            return draw(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def calls_without_chance() -> Iterator[None]:
    """The same for the nodes of a graph that call torch."""
    original = TorchCall.__call__

    def calm(call: TorchCall, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        with WithoutChance():
            return original(call, tensors)

    with mock.patch.object(TorchCall, "__call__", calm):
        yield


def _bernoulli_(tensor: Tensor, p: Any = 0.5, **keywords: Any) -> Tensor:
    return tensor.copy_(p) if isinstance(p, Tensor) else tensor.fill_(p)


def _bernoulli(tensor: Tensor, p: float | None = None, **keywords: Any) -> Tensor:
    return tensor.clone() if p is None else torch.full_like(tensor, p)


def _normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, **keywords: Any) -> Tensor:
    return tensor.fill_(mean + DRAWN * std)


def _uniform_(tensor: Tensor, low: float = 0.0, high: float = 1.0, **keywords: Any) -> Tensor:
    return tensor.fill_(low + DRAWN * (high - low))


def _like(tensor: Tensor, **keywords: Any) -> Tensor:
    keywords.pop("generator", None)
    return torch.full_like(tensor, DRAWN, **keywords)


def _sized(size: Sequence[int], *generator: Any, **keywords: Any) -> Tensor:
    keywords.pop("generator", None)
    if keywords.get("dtype") is None:
        keywords["dtype"] = torch.get_default_dtype()
    return torch.full(size, DRAWN, **keywords)


def _native_dropout(tensor: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    return tensor.clone(), torch.ones_like(tensor, dtype=torch.bool)


_ATEN = torch.ops.aten
_DRAWS: dict[Any, Callable[..., Any]] = {
    _ATEN.bernoulli_: _bernoulli_,
    _ATEN.bernoulli: _bernoulli,
    _ATEN.normal_: _normal_,
    _ATEN.uniform_: _uniform_,
    _ATEN.randn: _sized,
    _ATEN.rand: _sized,
    _ATEN.randn_like: _like,
    _ATEN.rand_like: _like,
    _ATEN.native_dropout: _native_dropout,
}
