"""Numbers that passes over a finished graph add to it as constants."""

from __future__ import annotations

from typing import Any


def whole_numbers(graph: Any, numbers: int | list[int]) -> str:
    """The name of an int64 constant of the graph, made if there is none.

    Args:
        graph: an `onnx.GraphProto`.
        numbers: one number, for a tensor without dimensions, or a list of them.
    """
    from onnx import TensorProto

    return _constant(graph, TensorProto.INT64, numbers)


def double(graph: Any, number: float) -> str:
    """The name of a float64 constant of the graph without dimensions, made if there is none."""
    from onnx import TensorProto

    return _constant(graph, TensorProto.DOUBLE, number)


def _constant(graph: Any, dtype: int, content: float | list[int]) -> str:
    from onnx import helper

    name = f"ortwrap_{content!r}"
    if all(tensor.name != name for tensor in graph.initializer):
        sizes = [len(content)] if isinstance(content, list) else []
        values = content if isinstance(content, list) else [content]
        graph.initializer.append(helper.make_tensor(name, dtype, sizes, values))
    return name
