"""What ONNX Runtime cannot compute of no rows, where the values of a batch tell how many there are.

Its convolution and its mean divide by the number of rows, which kills the process; its products of
matrices have no gradient there. torch computes, as in eager.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..open_sizes import Open, of_computed
from .arguments import is_list
from .paths import is_tensor, opened, scalar_type, traced_sizes
from .registry import as_torch

_CHOOSE = frozenset(
    f"aten::{name}"
    for name in "masked_select nonzero nonzero_numpy argwhere bincount unique_consecutive "
    "unique_dim _unique _unique2".split()
)


def has_open_rows(g: Any, *_: Any) -> bool:
    """Whether only values tell a size of an operand."""
    return any(_open_sizes(value) for value in _operands(g.original_node))


def _open_sizes(value: Any) -> Open:
    """The numbers that such sizes of a value of torch's trace had there."""
    known = opened()
    waiting = [value]
    while waiting:
        current = waiting[-1]
        name = current.debugName()
        if name not in known:
            operands = list(_operands(current.node()))
            unknown = [one for one in operands if one.debugName() not in known]
            if unknown:
                waiting.extend(unknown)
                continue
            sizes = traced_sizes(current) or ()
            given = [(traced_sizes(one) or (), known[one.debugName()]) for one in operands]
            chosen = _chooses(current.node())
            known[name] = frozenset(sizes) if chosen else of_computed(sizes, given)
        waiting.pop()
    return known[value.debugName()]


def _operands(node: Any) -> Iterator[Any]:
    """The tensors that a node gets, those in lists and those whose sizes it gets too."""
    for value in node.inputs():
        if is_tensor(value):
            yield value
        elif node.kind() != "prim::Param":
            yield from _operands(value.node())


def _chooses(node: Any) -> bool:
    """Whether the values of its operands tell the sizes of what a node returns."""
    if node.kind() == "aten::index":
        _, indices = node.inputs()
        listed = indices.node().inputs() if is_list(indices) else ()
        return any(scalar_type(index) in ("Bool", "Byte") for index in listed)
    if node.kind() == "aten::repeat_interleave":
        return len(list(_operands(node))) > 1
    return node.kind() in _CHOOSE


OPERATORS = (
    *as_torch("mean linear matmul mm bmm addmm baddbmm", when=has_open_rows, keeps="inputs"),
    *as_torch("_convolution convolution conv1d conv2d conv3d", when=has_open_rows, keeps="inputs"),
    *as_torch("stack", when=has_open_rows, keeps=""),
    *as_torch("div", when=has_open_rows),
)
