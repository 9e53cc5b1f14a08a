"""Kernels of torch in the place of some of ONNX Runtime's, which take several times as long.

On a CPU ONNX Runtime 1.19.2 makes a pass over temporaries for each term of the gradients of Gelu
and LayerNormalization, where torch makes a single one; it splits products with a matrix of
millions of elements less well than torch's BLAS; it adds up the gradients of gathered rows, and of
biases, number by number; and it lets torch compute the gradient of a large embedding on one thread,
which clears all of the table first.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..machine import threads_for
from . import library
from .kernels import DOMAIN
from .library import NAMESPACE
from .numbers_of_graphs import whole_number

_aten = torch.ops.aten

# Elements of a matrix from which on more threads of torch are worth waking.
_LARGE = 2**22

# Elements of what is known of a tensor's sizes (often all but those of the batch) from which on the
# 15 microseconds that a call of torch costs are less than what it spares.
_SLOW_TO_GATHER, _SLOW_TO_SUM = 64, 256


@dataclass(frozen=True)
class _Call:
    """What a node becomes.

    Attributes:
        operator: an operator of torch, with its namespace.
        inputs: names of values, whole numbers, and None for an argument that is left out.
        overload: which of those of that name.
        typed: which of the node's inputs has the dtype of what comes out first.
    """

    operator: str
    inputs: tuple[str | int | None, ...]
    overload: str = ""
    typed: int = 0


def register() -> None:
    """Makes ORTModule put them into the graphs that it builds."""
    from onnxruntime.training.ortmodule.graph_optimizer_registry import register_graph_optimizer

    register_graph_optimizer(devices="cpu")(call_torch_where_faster)


def call_torch_where_faster(graph: Any) -> None:
    """Turns the nodes that torch computes faster into calls of it.

    Args:
        graph: the `onnx.GraphProto` of forward and backward, changed in place.
    """
    known = _Sizes(graph)
    for node in graph.node:
        choose = _CHOICES.get(_operator_of(node))
        # Of some layers not all parameters are trained; such a node lacks outputs.
        call = choose(node, known) if choose and all(node.output) else None
        if call is not None:
            known.give_type(node.output[0], of=node.input[call.typed])
            _turn_into_call(graph, node, call)


class _Sizes:
    """What the graph tells of the sizes of its values; a size that changes it does not tell."""

    def __init__(self, graph: Any) -> None:
        values = (*graph.input, *graph.output, *graph.value_info)
        self._graph = graph
        self._types = {value.name: value.type.tensor_type for value in values}

    def is_floating(self, name: str) -> bool:
        """Whether a value is of float32 or float64."""
        from onnx import TensorProto

        known = self._types.get(name)
        return known is not None and known.elem_type in (TensorProto.FLOAT, TensorProto.DOUBLE)

    def give_type(self, name: str, *, of: str) -> None:
        """Tells ONNX Runtime, which knows nothing of calls, that a value has the dtype of another.

        Args:
            name: what a call returns.
            of: one of the node's inputs.
        """
        from onnx import helper

        if name not in self._types and of in self._types:
            dtype = self._types[of].elem_type
            self._graph.value_info.append(helper.make_tensor_value_info(name, dtype, None))

    def at_least(self, name: str) -> int:
        """How many elements a value has at least, unless it is empty; 0 if nothing is known."""
        known = self._types.get(name)
        if known is None or not known.HasField("shape"):
            return 0
        return math.prod(axis.dim_value or 1 for axis in known.shape.dim)


def _attributes(node: Any) -> Mapping[str, Any]:
    from onnx.helper import get_attribute_value

    return {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}


def _operator_of(node: Any) -> str:
    """The name of what a node computes, that of torch where it calls torch."""
    if node.op_type == "ATen":
        return f"aten::{_attributes(node)['operator'].decode()}"
    return str(node.op_type)


def _turn_into_call(graph: Any, node: Any, call: _Call) -> None:
    from onnx.helper import make_attribute

    inputs = [
        whole_number(graph, each) if isinstance(each, int) else each or "" for each in call.inputs
    ]
    node.op_type, node.domain = "ATen", DOMAIN
    del node.attribute[:], node.input[:]
    node.input.extend(inputs)
    node.attribute.append(make_attribute("operator", call.operator))
    node.attribute.append(make_attribute("overload_name", call.overload))


def _own(name: str, node: Any, *more: int | None) -> _Call:
    """A call of an operator that is defined here, with what the node gets and more."""
    return _Call(f"{NAMESPACE}::{name}", (*node.input, *more))


def _product(node: Any, known: _Sizes) -> _Call | None:
    """Gemm(A, B, C): alpha * A @ B + beta * C."""
    of = _attributes(node)
    adds = len(node.input) > 2 and node.input[2]
    scaled = of.get("alpha", 1.0) != 1.0 or (adds and of.get("beta", 1.0) != 1.0)
    large = any(known.at_least(name) >= _LARGE for name in (*node.input, *node.output))
    if scaled or not large:
        return None
    name = _product_of(bool(of.get("transA")), bool(of.get("transB")))
    # torch wants to be told of an argument that is left out.
    return _own(name, node, *[None] * (3 - len(node.input)))


def _product_of(a_turned: bool, b_turned: bool) -> str:
    return f"product_{'nt'[a_turned]}{'nt'[b_turned]}"


def _embedding_gradient(node: Any, known: _Sizes) -> _Call | None:
    large = any(known.at_least(name) >= _LARGE for name in node.output)
    return _own("embedding_backward", node) if large else None


def _gather_gradient(node: Any, known: _Sizes) -> _Call | None:
    """GatherGrad(shape, indices, gradient)"""
    if known.at_least(node.output[0]) < _SLOW_TO_GATHER:
        return None
    inputs = (*node.input, int(_attributes(node).get("axis", 0)))
    return _Call(f"{NAMESPACE}::gather_backward", inputs, typed=2)


def _sum(node: Any, known: _Sizes) -> _Call | None:
    """ReduceSum(data, axes)"""
    of = _attributes(node)
    data, *axes = node.input
    if not axes or of.get("noop_with_empty_axes") or not known.is_floating(data):
        return None
    if known.at_least(data) < _SLOW_TO_SUM:
        return None
    inputs = (data, axes[0], int(of.get("keepdims", 1)), None)
    return _Call("aten::sum", inputs, overload="dim_IntList")


_CHOICES: Mapping[str, Callable[[Any, _Sizes], _Call | None]] = {
    "GeluGrad": lambda node, known: _own("gelu_backward", node),
    "LayerNormalizationGrad": lambda node, known: _own("layer_norm_backward", node),
    "aten::embedding_backward": _embedding_gradient,
    "Gemm": _product,
    "GatherGrad": _gather_gradient,
    "ReduceSum": _sum,
}


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
        f"{_product_of(a_turned, b_turned)}(Tensor a, Tensor b, Tensor? c) -> Tensor",
        functools.partial(_multiply, a_turned, b_turned),
    )
