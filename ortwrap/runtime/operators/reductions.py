"""Reductions and running sums whose gradient ONNX Runtime lacks or gets wrong."""

from __future__ import annotations

from .registry import as_torch

OPERATORS = (
    *as_torch("cumsum cumprod cummax cummin logcumsumexp"),
    *as_torch("prod amax amin aminmax logsumexp"),
    *as_torch("norm frobenius_norm linalg_norm linalg_vector_norm linalg_matrix_norm"),
    *as_torch("std var std_mean var_mean"),
    *as_torch("quantile nanquantile"),
    *as_torch("median nanmedian mode kthvalue"),
    # Among equals it takes others than ONNX Runtime: a router that starts with equal scores.
    *as_torch("topk"),
)
