"""Activations whose gradient ONNX Runtime lacks."""

from __future__ import annotations

from .registry import as_torch

OPERATORS = as_torch("elu celu selu softplus mish hardswish hardsigmoid prelu")
