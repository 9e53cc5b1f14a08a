"""Dropout by a kernel of ours: torch's masks, from torch's generator, several times as fast.

torch draws its numbers one after the other, and a model with a dropout behind every layer waits for
them longer than for anything else that is not a product of matrices. See `../native/dropout.cc`.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy
import torch

from .. import extensions
from .calls import Slot, TorchCall, numbered
from .kernels import called_by, defined
from .library import NAMESPACE
from .numbers_of_graphs import double, whole_numbers

DROPOUT = f"{NAMESPACE}::dropout"
# The place among the inputs of such a node of the share of the elements that it keeps.
KEEP = 2


def register() -> None:
    """Makes ORTModule put it into the graphs that it builds, where it is compiled and exact."""
    from onnxruntime.training.ortmodule.graph_optimizer_registry import register_graph_optimizer

    if _is_fast():
        register_graph_optimizer(devices="cpu")(drop_faster)


@functools.cache
def _is_fast() -> bool:
    binary = extensions.own_kernels()
    if binary is None:
        return False
    try:
        torch.ops.load_library(str(binary))  # type: ignore[no-untyped-call]
        return bool(torch.ops.ortwrap.dropout_is_fast())
    except (OSError, RuntimeError):
        # Built elsewhere, or for another torch: the calls of torch stay.
        return False


def drop_faster(graph: Any) -> None:
    """Puts our kernel in the place of the calls of torch's dropout that gradients flow through.

    Args:
        graph: the `onnx.GraphProto` of forward and backward, changed in place.
    """
    numbers = _numbers(graph)
    types = {value.name: value for value in graph.value_info}
    forwards = {
        node.output[1]: node
        for node in graph.node
        if len(node.output) == 2 and _is_dropout(node, numbers)
    }
    backwards = {
        node.input[0]: node
        for node in graph.node
        if node.input and node.input[0] in forwards and node.op_type == "ATen"
    }
    for ticket, backward in backwards.items():
        forward = forwards[ticket]
        input_, *before, number = forward.input
        slot, p, _ = numbered(int(numbers[number])).template
        order = "" if slot.order is None else whole_numbers(graph, list(slot.order))
        _turn_into_kernel(forward, [input_, *(before or [""]), double(graph, 1 - p), order])
        _multiply(backward, backward.input[1], ticket)
        if ticket in types:
            # What was a ticket is what the elements are multiplied with.
            types[ticket].type.CopyFrom(types[forward.output[0]].type)


def _numbers(graph: Any) -> dict[str, numpy.ndarray]:
    """The constants of the graph that are single numbers, by name."""
    from onnx import numpy_helper
    from onnx.helper import get_attribute_value

    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors[node.output[0]] = get_attribute_value(node.attribute[0])
    return {
        name: numpy_helper.to_array(tensor) for name, tensor in tensors.items() if not tensor.dims
    }


def _is_dropout(node: Any, numbers: dict[str, numpy.ndarray]) -> bool:
    """Whether a node calls `torch.dropout` on a tensor."""
    if called_by(node) not in defined() or node.input[-1] not in numbers or len(node.input) > 3:
        return False
    call: TorchCall = numbered(int(numbers[node.input[-1]]))
    return (
        call.function is torch.ops.aten.dropout.default
        and replace(call.template[0], order=None) == Slot(0)
        and isinstance(call.template[1], float)
        and call.template[1] < 1
    )


def _turn_into_kernel(node: Any, inputs: list[str]) -> None:
    from onnx.helper import make_attribute

    del node.input[:], node.attribute[:]
    node.input.extend(inputs)
    node.attribute.append(make_attribute("operator", DROPOUT))


def _multiply(node: Any, *inputs: str) -> None:
    node.op_type, node.domain = "Mul", ""
    del node.input[:], node.attribute[:]
    node.input.extend(inputs)
