"""Kernels of torch in the place of some of ONNX Runtime's, which take several times as long.

On a CPU ONNX Runtime 1.19.2 is slower by that much at convolutions and their gradients. It takes
the gradients of Relu, LogSoftmax and gathered rows, and the sums for biases, number by number, and
makes a pass over temporaries for each term of those of Gelu and LayerNormalization, where torch
makes a single one. Products with a matrix of millions of elements it splits less well than torch's
BLAS. And it lets torch pool, and compute the gradient of a large embedding, on one thread.

Other products stay: torch's threads spin for a while after each, on the cores that ONNX Runtime
needs next, and a transformer whose products were all torch's took longer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from .kernels import DOMAIN, called_by
from .library import NAMESPACE
from .numbers_of_graphs import whole_numbers
from .torch_kernels import convolution_backward_of, product_of

# Elements of a matrix from which on more threads of torch are worth waking.
_LARGE = 2**22

# Elements of what is known of a tensor's sizes (often all but those of the batch) from which on the
# 15 to 30 microseconds that a call of torch costs are less than what it spares.
_SLOW_TO_GATHER, _WIDE = 64, 256

_Input = Union[str, int, "list[int]", None]


@dataclass(frozen=True)
class _Call:
    """What a node becomes.

    Attributes:
        operator: an operator of torch, with its namespace.
        inputs: names of values, whole numbers, lists of such, and None for an argument that is
            left out.
        overload: which of those of that name.
        typed: which of the node's inputs has the dtype of what comes out first.
    """

    operator: str
    inputs: tuple[_Input, ...]
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
        call = choose(node, known) if choose else None
        if call is not None:
            for name in filter(None, node.output):
                known.give_type(name, of=node.input[call.typed])
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

    def is_wide(self, name: str) -> bool:
        """Whether a value likely has thousands of elements: wide ones, maps, or sequences."""
        known = self._types.get(name)
        rank = len(known.shape.dim) if known is not None else 0
        return rank > 2 or self.at_least(name) >= _WIDE


def _attributes(node: Any) -> Mapping[str, Any]:
    from onnx.helper import get_attribute_value

    return {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}


def _operator_of(node: Any) -> str:
    """The name of what a node computes, that of torch where it calls torch."""
    called = called_by(node)
    return f"aten::{called}" if called else str(node.op_type)


def _turn_into_call(graph: Any, node: Any, call: _Call) -> None:
    from onnx.helper import make_attribute

    inputs = [
        whole_numbers(graph, each) if isinstance(each, (int, list)) else each or ""
        for each in call.inputs
    ]
    outputs = list(filter(None, node.output))
    node.op_type, node.domain = "ATen", DOMAIN
    del node.attribute[:], node.input[:], node.output[:]
    node.input.extend(inputs)
    node.output.extend(outputs)
    node.attribute.append(make_attribute("operator", call.operator))
    node.attribute.append(make_attribute("overload_name", call.overload))


def _own(name: str, node: Any, *more: _Input) -> _Call:
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
    name = product_of(bool(of.get("transA")), bool(of.get("transB")))
    # torch wants to be told of an argument that is left out.
    return _own(name, node, *[None] * (3 - len(node.input)))


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
    if not known.is_wide(data):
        return None
    inputs = (data, axes[0], int(of.get("keepdims", 1)), None)
    return _Call("aten::sum", inputs, overload="dim_IntList")


def _layer_norm_gradient(node: Any, known: _Sizes) -> _Call | None:
    # Where only one of its parameters is trained, the node lacks an output.
    return _own("layer_norm_backward", node) if all(node.output) else None


def _relu_gradient(node: Any, known: _Sizes) -> _Call | None:
    """ReluGrad(gradient, result)"""
    return _own("relu_backward", node) if known.is_wide(node.input[1]) else None


def _softmax_gradient(node: Any, known: _Sizes) -> _Call | None:
    """SoftmaxGrad_13(gradient, result), and LogSoftmaxGrad_13"""
    if not known.is_wide(node.input[1]):
        return None
    name = "log_softmax_backward" if node.op_type.startswith("Log") else "softmax_backward"
    return _own(name, node, int(_attributes(node).get("axis", -1)))


def _convolution(node: Any, known: _Sizes) -> _Call | None:
    """Conv(data, weight, bias)"""
    geometry = _geometry(node)
    if geometry is None:
        return None
    return _own("convolution", node, *[None] * (3 - len(node.input)), *geometry)


def _convolution_gradient(node: Any, known: _Sizes) -> _Call | None:
    """ConvGrad(gradient, data, weight): the gradients of data, weight and bias"""
    geometry = _geometry(node)
    wanted = [bool(name) for name in node.output] + [False] * (3 - len(node.output))
    if geometry is None or not any(wanted):
        return None
    return _own(convolution_backward_of(wanted), node, *geometry)


def _geometry(node: Any) -> tuple[list[int], list[int], list[int], int] | None:
    """Stride, padding, dilation and groups of a convolution, None for one that torch has not."""
    of = _attributes(node)
    axes = len(of.get("kernel_shape", ()))
    pads = of.get("pads", [0] * 2 * axes)
    if not axes or pads[:axes] != pads[axes:] or of.get("auto_pad", b"NOTSET") != b"NOTSET":
        return None
    ones = [1] * axes
    stride, dilation = of.get("strides", ones), of.get("dilations", ones)
    return list(stride), list(pads[:axes]), list(dilation), int(of.get("group", 1))


_CHOICES: Mapping[str, Callable[[Any, _Sizes], _Call | None]] = {
    "GeluGrad": lambda node, known: _own("gelu_backward", node),
    "LayerNormalizationGrad": _layer_norm_gradient,
    "ReluGrad": _relu_gradient,
    "SoftmaxGrad_13": _softmax_gradient,
    "LogSoftmaxGrad_13": _softmax_gradient,
    "Conv": _convolution,
    "ConvGrad": _convolution_gradient,
    "aten::embedding_backward": _embedding_gradient,
    "aten::max_pool2d_with_indices": lambda node, known: _own("max_pool2d", node),
    "Gemm": _product,
    "GatherGrad": _gather_gradient,
    "ReduceSum": _sum,
}
