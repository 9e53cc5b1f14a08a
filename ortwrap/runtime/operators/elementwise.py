"""Functions of single elements whose gradient ONNX Runtime lacks."""

from __future__ import annotations

from .registry import as_torch

OPERATORS = (
    *as_torch("atan2 hypot copysign xlogy logaddexp logaddexp2 fmod remainder"),
    *as_torch("lgamma digamma erfinv erfc logit sinc"),
    *as_torch("sinh cosh tan asin acos atan asinh acosh atanh"),
    *as_torch("threshold sign floor ceil round trunc frac"),
    *as_torch("log1p expm1 exp2 log2 log10 rsqrt"),
)
