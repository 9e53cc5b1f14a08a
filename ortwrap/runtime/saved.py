"""What the backward half of a training graph reads of what the forward half was given.

torch notices when something that a backward needs has been written to since. ONNX Runtime shares
the memory of a graph's inputs and does not: what it reads again is named here, to let torch watch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# The memory of what they return is that of what they are given.
_VIEWS = frozenset("Reshape Flatten Squeeze Unsqueeze Identity".split())
_SIZES = frozenset({"Shape", "Size"})


def read_in_backward(graph: Any) -> frozenset[str]:
    """The names of the tensors whose content the nodes after the loss read.

    Args:
        graph: forward and backward as one graph, divided by a YieldOp (an onnx.GraphProto).
    """
    nodes = list(graph.node)
    made_by = {name: index for index, node in enumerate(nodes) for name in node.output if name}
    forward = _forward(nodes, made_by)
    read = {
        name
        for index, node in enumerate(nodes)
        if index not in forward and node.op_type not in _SIZES
        for name in node.input
    }
    waiting = list(read)
    while waiting:
        index = made_by.get(waiting.pop())
        if index is None or nodes[index].op_type not in _VIEWS:
            continue
        source = nodes[index].input[0]
        if source not in read:
            read.add(source)
            waiting.append(source)
    return frozenset(read)


def _forward(nodes: Sequence[Any], made_by: Mapping[str, int]) -> frozenset[int]:
    """Which nodes the results of the forward half are made by."""
    waiting = [index for index, node in enumerate(nodes) if node.op_type == "YieldOp"]
    found: set[int] = set()
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting += [made_by[name] for name in nodes[index].input if name in made_by]
    return frozenset(found)
