"""The same step without chance, in eager and in a graph, so that the two can be compared.

ONNX Runtime draws other dropout masks than torch. With every dropout off and every draw replaced
by one fixed value, on both sides, what is left must agree.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Callable

import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper
from torch import Tensor

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


@contextlib.contextmanager
def eager_without_chance() -> Iterator[None]:
    """Turns dropout off, and draws into constants, in what runs inside."""
    with contextlib.ExitStack() as stack:
        for owner, name, replacement in _REPLACEMENTS:
            if hasattr(owner, name):
                stack.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, replacement)
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


def _keep(input: Tensor, *arguments: Any, **keywords: Any) -> Tensor:
    return input


def _attend(*arguments: Any, **keywords: Any) -> Tensor:
    named = dict(zip(("query", "key", "value", "attn_mask", "dropout_p", "is_causal"), arguments))
    named.update(keywords, dropout_p=0.0)
    result: Tensor = _ATTENTION(**named)
    return result


_ATTENTION: Callable[..., Tensor] = F.scaled_dot_product_attention


def _fill_like(input: Tensor, **keywords: Any) -> Tensor:
    keywords.pop("generator", None)
    return torch.full_like(input, _DRAW, **keywords)


def _fill(*sizes: Any, **keywords: Any) -> Tensor:
    keywords.pop("generator", None)
    shape = sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    keywords.setdefault("dtype", torch.get_default_dtype())
    return torch.full(tuple(shape), _DRAW, **keywords)


_REPLACEMENTS: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
    *((F, name, _keep) for name in ("dropout", "dropout1d", "dropout2d", "dropout3d")),
    (F, "alpha_dropout", _keep),
    (F, "feature_alpha_dropout", _keep),
    (torch, "dropout", _keep),
    (F, "scaled_dot_product_attention", _attend),
    (torch, "randn_like", _fill_like),
    (torch, "rand_like", _fill_like),
    (torch, "randn", _fill),
    (torch, "rand", _fill),
)
