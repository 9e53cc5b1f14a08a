"""Inputs of a graph that its only reader takes more than once, as in `weight * weight`.

ONNX Runtime adds up the gradients of an input where several nodes read it, and counts the nodes:
two gradients from one node get one name, and the graph is taken for an invalid one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def give_once(graph: Any, trained: Collection[str]) -> None:
    """Lets such an input be read by another node as well.

    Args:
        graph: an onnx.GraphProto, which is changed.
        trained: the names of its inputs that need a gradient.
    """
    readers: dict[str, list[Any]] = {name: [] for name in trained}
    for node in graph.node:
        for name in set(node.input) & readers.keys():
            readers[name].append(node)
    for name, nodes in readers.items():
        if len(nodes) == 1 and list(nodes[0].input).count(name) > 1:
            _give_again(graph, name, nodes[0])


def _give_again(graph: Any, name: str, reader: Any) -> None:
    from onnx import helper

    again = f"{name}_again"
    first = list(reader.input).index(name)
    for place, given in enumerate(reader.input):
        if given == name and place != first:
            reader.input[place] = again
    graph.node.insert(0, helper.make_node("Identity", [name], [again]))
