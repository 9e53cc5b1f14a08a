"""Reductions and running sums whose gradient ONNX Runtime lacks or gets wrong."""

from __future__ import annotations

from typing import Any

from .paths import is_tensor
from .registry import as_torch


def _is_of_all_or_of_two(g: Any, input: Any, *rest: Any) -> bool:
    """max(Tensor self), max(Tensor self, Tensor other): see `maximum`."""
    return not rest or is_tensor(rest[0])


OPERATORS = (
    *as_torch("max min", when=_is_of_all_or_of_two),
    # What is no number stands anywhere in what ONNX Runtime sorts, and so do the others.
    *as_torch("sort argsort"),
    *as_torch("cumsum cumprod cummax cummin logcumsumexp"),
    *as_torch("prod amax amin aminmax logsumexp"),
    *as_torch("norm frobenius_norm linalg_norm linalg_vector_norm linalg_matrix_norm"),
    *as_torch("std var std_mean var_mean"),
    *as_torch("quantile nanquantile"),
    *as_torch("median nanmedian mode kthvalue"),
    # Among equals it takes others than ONNX Runtime: a router that starts with equal scores.
    *as_torch("topk"),
)
