"""Single precision that a step asks for by name, in the twin of it that is in double precision.

`window.float()` and `dtype=torch.float32` mean the precision that everything else is in: a twin in
which they stayed would mix two, which most operators of torch refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# Legacy names of dtypes, as `x.type(torch.FloatTensor)` has them.
_WIDER: dict[Any, Any] = {
    torch.float32: torch.float64,
    torch.FloatTensor: torch.float64,
    torch.cuda.FloatTensor: torch.float64,  # type: ignore[attr-defined]
    "torch.FloatTensor": torch.float64,
    "torch.cuda.FloatTensor": torch.float64,
}


def widen(wrapper: nn.Module) -> None:
    """Makes the forward of a module ask for double where it asks for single precision."""
    kind = type(wrapper)
    wrapper.__class__ = type(kind.__name__, (_Wide, kind), {"__module__": kind.__module__})


class _Wide(nn.Module):
    """Stands before the class of a module."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        with _Widening():
            return super().forward(*args, **kwargs)


class _Widening(TorchFunctionMode):
    """What is called inside is asked for double precision instead of single."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is Tensor.float:
            func = Tensor.double
        keywords = {name: _wider(value) for name, value in (kwargs or {}).items()}
        return func(*map(_wider, args), **keywords)


def _wider(value: Any) -> Any:
    named = isinstance(value, (str, torch.dtype, type))
    return _WIDER.get(value, value) if named else value
