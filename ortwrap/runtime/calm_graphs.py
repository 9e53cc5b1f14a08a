"""A training graph without chance: ONNX Runtime draws other dropout masks than torch.

Imported where a graph is there, not with the runtime: scripts that hide `google.protobuf` behind a
folder of that name, for example, cannot import onnx.
"""

from __future__ import annotations

from typing import Any

import onnx
from onnx import TensorProto, helper

from .determinism import DRAWN
from .operators.fast_dropout import DROPOUT, KEEP
from .operators.kernels import called_by

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
_ONE = "ortwrap_keep_all"
_DRAWING = ("dropout", "bernoulli", "multinomial", "rand", "normal", "uniform", "rrelu")


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
        if called_by(node) == DROPOUT:
            node.input[KEEP] = _ONE
        constant = _as_constant(node)
        if constant is None:
            return None
        rewritten.extend(constant)
    del nodes[:]
    nodes.extend(rewritten)
    zero = helper.make_tensor(_ZERO, TensorProto.FLOAT, [], [0.0])
    one = helper.make_tensor(_ONE, TensorProto.DOUBLE, [], [1.0])
    copied.graph.initializer.extend([zero, one])
    return copied


def _as_constant(node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """The node itself, or nodes that compute a constant in place of what it draws."""
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if node.op_type in ("RandomNormalLike", "RandomNormal"):
        return _filled(node, values, values.get("mean", 0.0) + DRAWN * values.get("scale", 1.0))
    if node.op_type in ("RandomUniformLike", "RandomUniform"):
        low, high = values.get("low", 0.0), values.get("high", 1.0)
        return _filled(node, values, low + DRAWN * (high - low))
    operator = called_by(node)
    draws = operator != DROPOUT and any(map(operator.count, _DRAWING))
    return None if draws or node.op_type in ("Bernoulli", "Multinomial") else [node]


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
