"""Numbers that passes over a finished graph add to it as constants."""

from __future__ import annotations

from typing import Any


def whole_number(graph: Any, number: int) -> str:
    """The name of a constant of the graph, an int64 without dimensions, made if there is none."""
    from onnx import TensorProto

    return _constant(graph, TensorProto.INT64, number)


def double(graph: Any, number: float) -> str:
    """The name of a constant of the graph, a float64 without dimensions, made if there is none."""
    from onnx import TensorProto

    return _constant(graph, TensorProto.DOUBLE, number)


def _constant(graph: Any, dtype: int, number: float) -> str:
    from onnx import helper

    name = f"ortwrap_{number!r}"
    if all(tensor.name != name for tensor in graph.initializer):
        graph.initializer.append(helper.make_tensor(name, dtype, [], [number]))
    return name
