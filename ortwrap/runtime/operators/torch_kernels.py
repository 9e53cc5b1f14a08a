"""torch's kernels under names of ours, for the nodes that `faster_kernels` turns into calls."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..machine import threads_for
from . import library

_aten = torch.ops.aten

# Multiplications of a convolution, and elements to pool, from which on more threads of torch are
# worth waking.
_HEAVY, _MANY = 2**24, 2**17


def product_of(a_turned: bool, b_turned: bool) -> str:
    """The name of a product of two matrices, each of which may have to be transposed."""
    return f"product_{'nt'[a_turned]}{'nt'[b_turned]}"


def convolution_backward_of(wanted: Sequence[bool]) -> str:
    """The name of the operator for the gradients of the input, the weight and the bias.

    Args:
        wanted: which of them it returns.
    """
    parts = zip(("input", "weight", "bias"), wanted)
    return "_".join(["convolution_backward", *(part for part, asked in parts if asked)])


def _gelu_backward(gradient: Tensor, input: Tensor) -> Tensor:
    with threads_for(False, input.numel()):
        return _aten.gelu_backward(gradient, input)  # type: ignore[no-any-return]


def _layer_norm_backward(
    gradient: Tensor, input: Tensor, weight: Tensor, mean: Tensor, rstd: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    # Of the bias, which is none of the node's inputs, only the form is asked.
    bias, all_of_them = weight, [True, True, True]
    with threads_for(False, input.numel()):
        return _aten.native_layer_norm_backward(  # type: ignore[no-any-return]
            gradient, input, weight.shape, mean, rstd, weight, bias, all_of_them
        )


def _embedding_backward(
    gradient: Tensor, indices: Tensor, rows: int, padding: int, scaled: bool, sparse: bool
) -> Tensor:
    with threads_for(False, rows * gradient.shape[-1]):
        return _aten.embedding_backward(  # type: ignore[no-any-return]
            gradient, indices, rows, padding, scaled, sparse
        )


def _gather_backward(shape: Tensor, indices: Tensor, gradient: Tensor, axis: int) -> Tensor:
    sizes = shape.tolist()
    rows = indices.flatten()
    # An index may count from the end.
    rows = torch.where(rows < 0, rows + sizes[axis], rows)
    given = gradient.reshape(*sizes[:axis], len(rows), *sizes[axis:][1:])
    return gradient.new_zeros(sizes).index_add_(axis, rows, given)


def _multiply(a_turned: bool, b_turned: bool, a: Tensor, b: Tensor, c: Tensor | None) -> Tensor:
    a, b = a.t() if a_turned else a, b.t() if b_turned else b
    with threads_for(True, 0):
        return a @ b if c is None else torch.addmm(c, a, b)


def _relu_backward(gradient: Tensor, result: Tensor) -> Tensor:
    with threads_for(False, result.numel()):
        return _aten.threshold_backward(gradient, result, 0)  # type: ignore[no-any-return]


def _softmax_backward(gradient: Tensor, result: Tensor, axis: int) -> Tensor:
    with threads_for(False, result.numel()):
        return _aten._softmax_backward_data(  # type: ignore[no-any-return]
            gradient, result, axis, result.dtype
        )


def _log_softmax_backward(gradient: Tensor, result: Tensor, axis: int) -> Tensor:
    with threads_for(False, result.numel()):
        return _aten._log_softmax_backward_data(  # type: ignore[no-any-return]
            gradient, result, axis, result.dtype
        )


def _max_pool2d(
    input: Tensor,
    kernel_size: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    ceil_mode: bool,
) -> tuple[Tensor, Tensor]:
    with threads_for(input.numel() >= _MANY, 0):
        return _aten.max_pool2d_with_indices(  # type: ignore[no-any-return]
            input, kernel_size, stride, padding, dilation, ceil_mode
        )


def _convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
) -> Tensor:
    window = math.prod(weight.shape[2:])
    with threads_for(input.numel() * weight.shape[0] * window // groups >= _HEAVY, 0):
        return torch.convolution(
            input, weight, bias, stride, padding, dilation, False, [0] * len(stride), groups
        )


def _convolution_backward(
    wanted: Sequence[bool],
    gradient: Tensor,
    input: Tensor,
    weight: Tensor,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
) -> Any:
    with threads_for(gradient.numel() * weight[0].numel() >= _HEAVY, 0):
        found = _aten.convolution_backward(
            *(gradient, input, weight, weight.shape[:1], stride, padding, dilation),
            *(False, [0] * len(stride), groups, wanted),
        )
    gradients = [gradient for gradient, asked in zip(found, wanted) if asked]
    return gradients[0] if len(gradients) == 1 else tuple(gradients)


library.define("gelu_backward(Tensor gradient, Tensor input) -> Tensor", _gelu_backward)
library.define(
    "layer_norm_backward(Tensor gradient, Tensor input, Tensor weight, Tensor mean, Tensor rstd) "
    "-> (Tensor, Tensor, Tensor)",
    _layer_norm_backward,
)
library.define(
    "embedding_backward(Tensor gradient, Tensor indices, int rows, int padding, bool scaled, "
    "bool sparse) -> Tensor",
    _embedding_backward,
)
library.define(
    "gather_backward(Tensor shape, Tensor indices, Tensor gradient, int axis) -> Tensor",
    _gather_backward,
)
for a_turned, b_turned in itertools.product((False, True), repeat=2):
    library.define(
        f"{product_of(a_turned, b_turned)}(Tensor a, Tensor b, Tensor? c) -> Tensor",
        functools.partial(_multiply, a_turned, b_turned),
    )
library.define("relu_backward(Tensor gradient, Tensor result) -> Tensor", _relu_backward)
library.define(
    "softmax_backward(Tensor gradient, Tensor result, int axis) -> Tensor", _softmax_backward
)
library.define(
    "log_softmax_backward(Tensor gradient, Tensor result, int axis) -> Tensor",
    _log_softmax_backward,
)
library.define(
    "max_pool2d(Tensor input, int[] kernel_size, int[] stride, int[] padding, int[] dilation, "
    "bool ceil_mode) -> (Tensor, Tensor)",
    _max_pool2d,
)
_GEOMETRY = "int[] stride, int[] padding, int[] dilation, int groups"
library.define(
    f"convolution(Tensor input, Tensor weight, Tensor? bias, {_GEOMETRY}) -> Tensor", _convolution
)
for asked in itertools.product((False, True), repeat=3):
    if any(asked):
        returned = ", ".join(["Tensor"] * sum(asked))
        library.define(
            f"{convolution_backward_of(asked)}(Tensor gradient, Tensor input, Tensor weight, "
            f"{_GEOMETRY}) -> {returned if sum(asked) == 1 else f'({returned})'}",
            functools.partial(_convolution_backward, list(asked)),
        )
