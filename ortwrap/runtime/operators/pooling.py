"""Pooling whose gradient ONNX Runtime lacks, or that its exporter only knows for fixed sizes."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from .registry import as_torch
from .stand_ins import StandIn


def _unpool_output_size(
    input: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> list[Any]:
    """Stands in for torch's, which looks whether the size fits: in eager it did."""
    rank = len(kernel_size)
    if output_size is not None:
        return list(output_size)[-rank:]
    return [
        (input.size(axis - rank) - 1) * stride[axis] + kernel_size[axis] - 2 * padding[axis]
        for axis in range(rank)
    ]


OPERATORS = (
    *as_torch("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d", keeps="inputs"),
    *as_torch("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d"),
    *as_torch("max_pool1d max_pool1d_with_indices max_pool3d max_pool3d_with_indices"),
    *as_torch("max_pool2d_with_indices"),
    # ORTModule's own call for two dimensions leaves the size of the result open, and a pool over
    # all of a picture then passes for one that is as large as the picture.
    *as_torch("avg_pool1d avg_pool2d avg_pool3d", keeps="inputs"),
    *as_torch("max_unpool2d max_unpool3d fractional_max_pool2d"),
)

STAND_INS = (StandIn(F, "_unpool_output_size", _unpool_output_size),)
