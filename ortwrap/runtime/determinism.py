"""The same step without chance, in eager and in a graph, so that the two can be compared.

ONNX Runtime draws other dropout masks than torch. With every dropout off and every draw replaced
by one fixed value, on both sides, what is left must agree.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Callable
from unittest import mock

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from .operators.calls import TorchCall

# Where a normal or a uniform distribution on [0, 1) is replaced by one value.
_DRAW = 0.5
# The position of the ratio among the inputs of each operator that drops elements.
_RATIO = {
    "Dropout": 1,
    "DropoutGrad": 2,
    "BiasDropout": 3,
    "BitmaskDropout": 1,
    "BitmaskDropoutGrad": 2,
    "BitmaskBiasDropout": 3,
}
_ZERO = "ortwrap_no_dropout"


class WithoutChance(TorchDispatchMode):
    """Makes what torch draws inside constant: a dropout then drops nothing."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        draw = _DRAWS.get(func.overloadpacket)
        if draw is not None:
            return draw(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def calls_without_chance() -> Iterator[None]:
    """The same for the nodes of a graph that call torch."""
    original = TorchCall.__call__

    def calm(call: TorchCall, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        with WithoutChance():
            return original(call, tensors)

    with mock.patch.object(TorchCall, "__call__", calm):
        yield


def graph_without_chance(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """A copy of a training graph with dropout off and draws made constant.

    Returns:
        None when it draws in a way that is not known here.
    """
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    nodes = copied.graph.node
    rewritten: list[onnx.NodeProto] = []
    for node in nodes:
        if node.op_type in _RATIO:
            node.input[_RATIO[node.op_type]] = _ZERO
        constant = _as_constant(node)
        if constant is None:
            return None
        rewritten.extend(constant)
    del nodes[:]
    nodes.extend(rewritten)
    copied.graph.initializer.append(helper.make_tensor(_ZERO, TensorProto.FLOAT, [], [0.0]))
    return copied


def _as_constant(node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """The node itself, or nodes that compute a constant in place of what it draws."""
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if node.op_type in ("RandomNormalLike", "RandomNormal"):
        return _filled(node, values, values.get("mean", 0.0) + _DRAW * values.get("scale", 1.0))
    if node.op_type in ("RandomUniformLike", "RandomUniform"):
        low, high = values.get("low", 0.0), values.get("high", 1.0)
        return _filled(node, values, low + _DRAW * (high - low))
    operator = values.get("operator", b"").decode() if node.op_type == "ATen" else ""
    if node.op_type in ("Bernoulli", "Multinomial") or any(map(operator.count, _DRAWING)):
        return None
    return [node]


_DRAWING = ("dropout", "bernoulli", "multinomial", "rand", "normal", "uniform", "rrelu")


def _filled(
    node: onnx.NodeProto, values: dict[str, Any], value: float
) -> list[onnx.NodeProto] | None:
    kind = values.get("dtype", TensorProto.FLOAT)
    filling = helper.make_tensor("value", kind, [1], [value])
    shape = f"{node.output[0]}_ortwrap_shape"
    if node.input:
        source = helper.make_node("Shape", [node.input[0]], [shape])
    else:
        sizes = values["shape"]
        given = helper.make_tensor("value", TensorProto.INT64, [len(sizes)], sizes)
        source = helper.make_node("Constant", [], [shape], value=given)
    return [source, helper.make_node("ConstantOfShape", [shape], [node.output[0]], value=filling)]


def _bernoulli_(tensor: Tensor, p: Any = 0.5, **keywords: Any) -> Tensor:
    return tensor.copy_(p) if isinstance(p, Tensor) else tensor.fill_(p)


def _bernoulli(tensor: Tensor, p: float | None = None, **keywords: Any) -> Tensor:
    return tensor.clone() if p is None else torch.full_like(tensor, p)


def _normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, **keywords: Any) -> Tensor:
    return tensor.fill_(mean + _DRAW * std)


def _uniform_(tensor: Tensor, low: float = 0.0, high: float = 1.0, **keywords: Any) -> Tensor:
    return tensor.fill_(low + _DRAW * (high - low))


def _like(tensor: Tensor, **keywords: Any) -> Tensor:
    keywords.pop("generator", None)
    return torch.full_like(tensor, _DRAW, **keywords)


def _sized(size: Sequence[int], *generator: Any, **keywords: Any) -> Tensor:
    keywords.pop("generator", None)
    if keywords.get("dtype") is None:
        keywords["dtype"] = torch.get_default_dtype()
    return torch.full(size, _DRAW, **keywords)


def _native_dropout(tensor: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    return tensor.clone(), torch.ones_like(tensor, dtype=torch.bool)


_ATEN = torch.ops.aten
_DRAWS: dict[Any, Callable[..., Any]] = {
    _ATEN.bernoulli_: _bernoulli_,
    _ATEN.bernoulli: _bernoulli,
    _ATEN.normal_: _normal_,
    _ATEN.uniform_: _uniform_,
    _ATEN.randn: _sized,
    _ATEN.rand: _sized,
    _ATEN.randn_like: _like,
    _ATEN.rand_like: _like,
    _ATEN.native_dropout: _native_dropout,
}
