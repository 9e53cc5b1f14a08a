"""Which sizes of a trace's values only the values of a batch tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..open_sizes import Open, of_computed
from .arguments import is_list
from .paths import is_tensor, opened, scalar_type, traced_sizes

_CHOOSE = frozenset(
    f"aten::{name}"
    for name in "masked_select nonzero nonzero_numpy argwhere bincount unique_consecutive "
    "unique_dim _unique _unique2".split()
)


def open_sizes(value: Any) -> Open:
    """The numbers that such sizes of a value of torch's trace had there."""
    known = opened()
    waiting = [value]
    while waiting:
        current = waiting[-1]
        name = current.debugName()
        if name not in known:
            operands = list(operands_of(current.node()))
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


def operands_of(node: Any) -> Iterator[Any]:
    """The tensors that a node gets, those in lists and those whose sizes it gets too."""
    for value in node.inputs():
        if is_tensor(value):
            yield value
        elif node.kind() != "prim::Param":
            yield from operands_of(value.node())


def _chooses(node: Any) -> bool:
    """Whether the values of its operands tell the sizes of what a node returns."""
    if node.kind() == "aten::index":
        _, indices = node.inputs()
        listed = indices.node().inputs() if is_list(indices) else ()
        return any(scalar_type(index) in ("Bool", "Byte") for index in listed)
    if node.kind() == "aten::repeat_interleave":
        return len(list(operands_of(node))) > 1
    return node.kind() in _CHOOSE
