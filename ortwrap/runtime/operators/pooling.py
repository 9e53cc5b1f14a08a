"""Pooling whose gradient ONNX Runtime lacks, or that its exporter only knows for fixed sizes."""

from __future__ import annotations

from .registry import as_torch

OPERATORS = (
    *as_torch("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d", keeps="inputs"),
    *as_torch("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d"),
    *as_torch("max_pool1d max_pool1d_with_indices max_pool3d max_pool3d_with_indices"),
    *as_torch("max_pool2d_with_indices"),
    *as_torch("avg_pool1d avg_pool3d", keeps="inputs"),
    *as_torch("max_unpool2d max_unpool3d fractional_max_pool2d"),
)
