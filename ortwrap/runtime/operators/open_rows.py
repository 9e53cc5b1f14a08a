"""What ONNX Runtime cannot compute of no rows, where the values of a batch tell how many there are.

Its convolution and its mean divide by the number of rows, which kills the process; its products of
matrices have no gradient there. torch computes, as in eager.
"""

from __future__ import annotations

from typing import Any

from .chosen import open_sizes, operands_of
from .registry import as_torch


def has_open_rows(g: Any, *_: Any) -> bool:
    """Whether only values tell a size of an operand."""
    return any(open_sizes(value) for value in operands_of(g.original_node))


OPERATORS = (
    *as_torch("mean linear matmul mm bmm addmm baddbmm", when=has_open_rows, keeps="inputs"),
    *as_torch("_convolution convolution conv1d conv2d conv3d", when=has_open_rows, keeps="inputs"),
    *as_torch("stack", when=has_open_rows, keeps=""),
    *as_torch("div", when=has_open_rows),
)
