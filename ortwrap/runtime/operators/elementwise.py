"""Functions of single elements whose gradient ONNX Runtime lacks."""

from __future__ import annotations

from typing import Any

from .paths import is_floating, traced_sizes
from .registry import as_torch


def _is_broadcast(g: Any, *_: Any) -> bool:
    """where(Tensor condition, Tensor self, Tensor other), masked_fill(Tensor self, Tensor mask,
    Scalar value): the gradient of ONNX Runtime's Where has the shape of the result, whatever the
    shape of what it is the gradient of."""
    node = g.original_node
    wanted = traced_sizes(node.output())
    return wanted is None or any(
        traced_sizes(value) != wanted or 1 in wanted
        for value in node.inputs()
        if is_floating(value) and traced_sizes(value) != ()
    )


OPERATORS = (
    *as_torch("where masked_fill", when=_is_broadcast, keeps="inputs"),
    *as_torch("atan2 hypot copysign xlogy logaddexp logaddexp2 fmod remainder"),
    *as_torch("lgamma digamma erfinv erfc logit sinc"),
    *as_torch("sinh cosh tan asin acos atan asinh acosh atanh"),
    *as_torch("threshold sign floor ceil round trunc frac"),
    *as_torch("log1p expm1 exp2 log2 log10 rsqrt"),
)
