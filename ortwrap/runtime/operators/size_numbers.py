"""What Python makes of sizes, `1 / x.shape[0]`, `x.size(-1) ** 0.5`, in a model of float64.

To Python that is a number in double precision, which takes the dtype of the tensor that it meets.
While a model is traced sizes are tensors of integers, whose quotients and roots torch computes in
float: seven digits of what float64 wants. In double they would make float64 of a loss in float32.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Callable

import torch
from torch import Tensor

from ..untraced import traced_value

_QUOTIENTS = frozenset("__truediv__ __rtruediv__ __rdiv__ div true_divide".split())
_ARITHMETIC = _QUOTIENTS | frozenset(
    "__pow__ __rpow__ pow add sub __rsub__ mul neg positive abs __floordiv__ __rfloordiv__".split()
)
_SIZES = frozenset({"aten::size", "aten::numel"})
_FROM_NUMBERS = frozenset({torch.tensor, torch.as_tensor, torch.asarray})


class SizeNumbers:
    """The numbers that a model computes of sizes while it is traced, in double as Python's are."""

    def __init__(self) -> None:
        self._made: dict[int, Tensor] = {}

    def of_call(
        self, function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """The arguments of a call of `function`, with such numbers in the dtype they are wanted in.

        That is double where numbers are computed of numbers, and what a Python number would be
        taken for where they meet tensors.
        """
        if self._computes_number(function, args):
            return [one.double() if isinstance(one, Tensor) else one for one in args], keywords
        given = (*args, *keywords.values())
        if not any(map(self._is_number, given)):
            return args, keywords
        dtype = keywords.get("dtype") or self._met_dtype(function, given)
        return (
            [self._as(dtype, one) for one in args],
            {name: self._as(dtype, one) for name, one in keywords.items()},
        )

    def note(self, function: Callable[..., Any], args: Sequence[Any], result: Any) -> None:
        """Takes notice of what a call of `function` returned, which was to be given `args`."""
        in_double = isinstance(result, Tensor) and result.dtype is torch.float64
        if in_double and self._computes_number(function, args):
            self._made[id(result)] = result

    def _computes_number(self, function: Callable[..., Any], args: Sequence[Any]) -> bool:
        """Whether it is arithmetic with sizes and Python's numbers that makes no integer."""
        name = getattr(function, "__name__", "")
        name = name if name.startswith("__") else name.rstrip("_")  # `share *= 2` is of `mul_`
        inexact = name in _QUOTIENTS or any(type(one) is float for one in args)
        if name not in _ARITHMETIC or not (inexact or any(map(self._is_number, args))):
            return False
        return all(
            type(one) in (int, float) or self._is_number(one) or _is_size(one) for one in args
        )

    def _is_number(self, value: Any) -> bool:
        return id(value) in self._made

    def _met_dtype(self, function: Callable[..., Any], given: Sequence[Any]) -> torch.dtype:
        met = [one for one in given if isinstance(one, Tensor) and not self._is_number(one)]
        if not met:
            return torch.get_default_dtype() if function in _FROM_NUMBERS else torch.float64
        if any(one.dim() and one.is_floating_point() for one in met):
            # Their dtype is the result's, whatever number they meet.
            return torch.float64
        joint = functools.reduce(torch.promote_types, (one.dtype for one in met))
        return joint if joint.is_floating_point else torch.get_default_dtype()

    def _as(self, dtype: torch.dtype, value: Any) -> Any:
        return value.to(dtype) if self._is_number(value) and value.dtype is not dtype else value


def _is_size(value: Any) -> bool:
    """Whether it is made of sizes of tensors, and of nothing that a batch holds."""
    if not isinstance(value, Tensor) or value.dim() or value.is_floating_point():
        return False
    waiting = [traced_value(value)]
    found = False
    while waiting:
        node = waiting.pop().node()
        if node.kind() == "prim::Param":
            return False
        if node.kind() in _SIZES:
            found = True
        else:
            waiting.extend(node.inputs())
    return found
