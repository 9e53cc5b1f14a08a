"""What Python makes of sizes, `1 / x.shape[0]`, `x.size(-1) ** 0.5`, in a model of float64.

To Python that is a number in double precision. While a model is traced sizes are tensors of
integers, whose quotients and roots torch computes in float: seven digits of what float64 wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

import torch
from torch import Tensor

_QUOTIENTS = frozenset("__truediv__ __rtruediv__ __rdiv__ div true_divide".split())
_POWERS = frozenset("__pow__ __rpow__ pow".split())


def in_double(function: Callable[..., Any], args: Sequence[Any]) -> Sequence[Any]:
    """The arguments of a call of `function`, with the sizes in double if Python's would be."""
    name = getattr(function, "__name__", "")
    inexact = name in _QUOTIENTS or (name in _POWERS and any(type(one) is float for one in args))
    if not inexact or not all(type(one) in (int, float) or _is_size(one) for one in args):
        return args
    return [one.double() if isinstance(one, Tensor) else one for one in args]


def _is_size(value: Any) -> bool:
    """Whether it is made of sizes of tensors, and of nothing that a batch holds."""
    if not isinstance(value, Tensor) or value.dim() or value.is_floating_point():
        return False
    with torch._C.DisableTorchFunction():
        waiting = [torch._C._get_value_trace(value)]  # type: ignore[attr-defined]
    found = False
    while waiting:
        node = waiting.pop().node()
        if node.kind() == "prim::Param":
            return False
        if node.kind() == "aten::size":
            found = True
        else:
            waiting.extend(node.inputs())
    return found
