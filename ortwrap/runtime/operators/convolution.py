"""Convolutions: the forms that ONNX Runtime has no kernel for, or gets wrong."""

from __future__ import annotations

from typing import Any

from .arguments import constant_of
from .paths import scalar_type
from .registry import as_torch


def _is_transposed_or_double(g: Any, input: Any, *options: Any) -> bool:
    """_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding,
    SymInt[] dilation, bool transposed, ...): ConvTransposeGrad has no kernel, Conv none for
    double."""
    return bool(constant_of(options[5])) or scalar_type(input) == "Double"


def _has_a_computed_kernel(g: Any, input: Any, weight: Any, *_: Any) -> bool:
    """Whether the kernel may have other sizes for other batches: the exporter must know them."""
    return weight.type().sizes() is None


def _pads_by_values(g: Any, input: Any, pad: Any, mode: Any, *_: Any) -> bool:
    """pad(Tensor self, SymInt[] pad, str mode, float? value): Pad has a gradient for constants."""
    return (mode if isinstance(mode, str) else constant_of(mode)) != "constant"


OPERATORS = (
    *as_torch("_convolution convolution", when=_is_transposed_or_double, keeps="inputs"),
    *as_torch("_convolution convolution", when=_has_a_computed_kernel, keeps="inputs"),
    *as_torch("conv_tbc", keeps="inputs"),
    # Padding by name: the exporter's SAME_UPPER pads other sides than torch, and takes no dilation.
    *as_torch("_convolution_mode conv1d conv2d conv3d", keeps="inputs"),
    *as_torch("im2col col2im", keeps=""),
    *as_torch("pad", when=_pads_by_values, keeps="inputs"),
    *as_torch("reflection_pad1d reflection_pad2d reflection_pad3d", keeps="inputs"),
    *as_torch("replication_pad1d replication_pad2d replication_pad3d", keeps="inputs"),
)
