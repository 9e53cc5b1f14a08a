"""Kernels of torch in the place of some of ONNX Runtime's, which take several times as long.

On a CPU ONNX Runtime 1.19.2 makes a pass over temporaries for each term of the gradients of Gelu
and LayerNormalization, where torch makes a single one; it splits products with a matrix of
millions of elements less well than torch's BLAS; and it lets torch compute the gradient of a large
embedding on one thread, which clears all of the table first.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..machine import threads_for
from . import library
from .kernels import DOMAIN
from .library import NAMESPACE

_aten = torch.ops.aten

# Elements of a matrix from which on more threads of torch are worth waking.
_LARGE = 2**22


def register() -> None:
    """Makes ORTModule put them into the graphs that it builds."""
    from onnxruntime.training.ortmodule.graph_optimizer_registry import register_graph_optimizer

    register_graph_optimizer(devices="cpu")(call_torch_where_faster)


def call_torch_where_faster(graph: Any) -> None:
    """Turns the nodes that torch computes faster into calls of it.

    Args:
        graph: the `onnx.GraphProto` of forward and backward, changed in place.
    """
    large = _large(graph)
    for node in graph.node:
        choose = _CHOICES.get(_operator_of(node))
        # Of some layers not all parameters are trained; such a node lacks outputs.
        name = choose(node, large) if choose and all(node.output) else None
        if name is not None:
            _turn_into_call(node, name)


def _large(graph: Any) -> frozenset[str]:
    """The values that are known to have many elements."""
    values = (*graph.input, *graph.output, *graph.value_info)
    # A size that changes reads as 0.
    sizes = {value.name: [axis.dim_value for axis in _axes(value)] for value in values}
    return frozenset(name for name, size in sizes.items() if torch.Size(size).numel() >= _LARGE)


def _axes(value: Any) -> Any:
    return value.type.tensor_type.shape.dim


def _attributes(node: Any) -> Mapping[str, Any]:
    from onnx.helper import get_attribute_value

    return {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}


def _operator_of(node: Any) -> str:
    """The name of what a node computes, that of torch where it calls torch."""
    if node.op_type == "ATen":
        return f"aten::{_attributes(node)['operator'].decode()}"
    return str(node.op_type)


def _turn_into_call(node: Any, name: str) -> None:
    from onnx.helper import make_attribute

    node.op_type, node.domain = "ATen", DOMAIN
    del node.attribute[:]
    node.attribute.append(make_attribute("operator", f"{NAMESPACE}::{name}"))


def _large_product(node: Any, large: frozenset[str]) -> str | None:
    """Gemm(A, B, C): alpha * A @ B + beta * C."""
    of = _attributes(node)
    adds = len(node.input) > 2 and node.input[2]
    scaled = of.get("alpha", 1.0) != 1.0 or (adds and of.get("beta", 1.0) != 1.0)
    if scaled or large.isdisjoint((*node.input, *node.output)):
        return None
    # torch wants to be told of an argument that is left out.
    node.input.extend([""] * (3 - len(node.input)))
    return _product_of(bool(of.get("transA")), bool(of.get("transB")))


def _product_of(a_turned: bool, b_turned: bool) -> str:
    return f"product_{'nt'[a_turned]}{'nt'[b_turned]}"


def _large_embedding(node: Any, large: frozenset[str]) -> str | None:
    return None if large.isdisjoint(node.output) else "embedding_backward"


_CHOICES: Mapping[str, Callable[[Any, frozenset[str]], str | None]] = {
    "GeluGrad": lambda node, large: "gelu_backward",
    "LayerNormalizationGrad": lambda node, large: "layer_norm_backward",
    "aten::embedding_backward": _large_embedding,
    "Gemm": _large_product,
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


def _product(a_turned: bool, b_turned: bool, a: Tensor, b: Tensor, c: Tensor | None) -> Tensor:
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
for a_turned, b_turned in itertools.product((False, True), repeat=2):
    library.define(
        f"{_product_of(a_turned, b_turned)}(Tensor a, Tensor b, Tensor? c) -> Tensor",
        functools.partial(_product, a_turned, b_turned),
    )
