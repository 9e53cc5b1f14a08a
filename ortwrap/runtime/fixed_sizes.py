"""Which sizes of what a trace computes are those of the model's own weights, for every batch.

`scores / math.sqrt(query.size(-1))` makes a number of a size. Where that is the size of a head, as
weights and constants make it, no batch changes it, and a graph in which it is fixed is right for
all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from torch import Tensor

from .untraced import traced_value

# What is not found within so many steps counts as changing.
_MAX_DEPTH = 60


def is_fixed(size: Tensor, arguments: int) -> bool:
    """Whether a size, or a number made of sizes, is the same for every batch.

    Args:
        size: a tensor of the trace that goes on.
        arguments: how many of the trace's inputs, from the first on, are no weights.
    """
    return _Search(arguments).is_number_fixed(traced_value(size), _MAX_DEPTH)


class _Search:
    """Goes back from a value of a trace to what its sizes are made of."""

    def __init__(self, arguments: int) -> None:
        self._arguments = arguments

    def is_number_fixed(self, value: Any, depth: int) -> bool:
        node = value.node()
        kind = node.kind()
        if kind == "prim::Constant":
            return True
        inputs = list(node.inputs())
        if depth == 0 or not inputs:
            return False
        if kind == "aten::size":
            axis = _constant(inputs[1]) if len(inputs) > 1 else None
            return axis is not None and self.is_fixed(inputs[0], axis, depth - 1)
        if kind in _OF_NUMBERS:
            return all(self.is_number_fixed(one, depth - 1) for one in inputs)
        return False

    def is_fixed(self, value: Any, axis: int, depth: int) -> bool:
        """Whether one size of a tensor is."""
        rank = value.type().dim()
        if rank is None or depth == 0:
            return False
        axis %= rank
        node = value.node()
        if node.kind() == "prim::Param":
            names = [source.debugName() for source in node.outputs()]
            return names.index(value.debugName()) >= self._arguments
        if node.kind() == "prim::Constant":
            return True
        rule = _RULES.get(node.kind())
        return rule is not None and rule(self, list(node.inputs()), axis, rank, depth - 1)


_Rule = Callable[[_Search, "list[Any]", int, int, int], bool]


def _elementwise(search: _Search, inputs: list[Any], axis: int, rank: int, depth: int) -> bool:
    """Broadcast against one another: a fixed size other than 1 is that of the result."""
    for value in inputs:
        own = value.type().dim() if value.type().kind() == "TensorType" else None
        at = axis - rank + (own or 0)
        if not own or at < 0 or (value.type().sizes() or [1] * own)[at] == 1:
            continue
        if search.is_fixed(value, at, depth):
            return True
    return False


def _like_the_first(search: _Search, inputs: list[Any], axis: int, rank: int, depth: int) -> bool:
    return search.is_fixed(inputs[0], axis, depth)


def _linear(search: _Search, inputs: list[Any], axis: int, rank: int, depth: int) -> bool:
    if axis == rank - 1:
        return search.is_fixed(inputs[1], 0, depth)
    return search.is_fixed(inputs[0], axis, depth)


def _product(search: _Search, inputs: list[Any], axis: int, rank: int, depth: int) -> bool:
    one, other = inputs[:2]
    if axis == rank - 1:
        return (other.type().dim() or 0) > 1 and search.is_fixed(other, -1, depth)
    return one.type().dim() == rank and search.is_fixed(one, axis, depth)


def _addmm(search: _Search, inputs: list[Any], axis: int, rank: int, depth: int) -> bool:
    return _product(search, inputs[1:3], axis, rank, depth)


def _embedding(search: _Search, inputs: list[Any], axis: int, rank: int, depth: int) -> bool:
    weight, indices = inputs[:2]
    if axis == rank - 1:
        return search.is_fixed(weight, 1, depth)
    return search.is_fixed(indices, axis, depth)


def _view(search: _Search, inputs: list[Any], axis: int, rank: int, depth: int) -> bool:
    size = _item(inputs[1], axis)
    return size is not None and _constant(size) != -1 and search.is_number_fixed(size, depth)


def _transpose(search: _Search, inputs: list[Any], axis: int, rank: int, depth: int) -> bool:
    one, other = (_constant(value) for value in inputs[1:3])
    if one is None or other is None:
        return False
    one, other = one % rank, other % rank
    moved = {one: other, other: one}.get(axis, axis)
    return search.is_fixed(inputs[0], moved, depth)


def _permute(search: _Search, inputs: list[Any], axis: int, rank: int, depth: int) -> bool:
    source = _item(inputs[1], axis)
    source = None if source is None else _constant(source)
    return source is not None and search.is_fixed(inputs[0], source, depth)


def _convolution(search: _Search, inputs: list[Any], axis: int, rank: int, depth: int) -> bool:
    return axis == 1 and search.is_fixed(inputs[1], 0, depth)


def _item(listed: Any, index: int) -> Any | None:
    """An item of a list that a trace makes of its items."""
    items: Sequence[Any] = list(listed.node().inputs())
    return items[index] if listed.node().kind() == "prim::ListConstruct" and items else None


def _constant(value: Any) -> int | None:
    constant = value.toIValue() if value.node().kind() == "prim::Constant" else None
    return constant if isinstance(constant, int) else None


_OF_NUMBERS = frozenset(
    "prim::NumToTensor aten::Int aten::ScalarImplicit aten::add aten::sub aten::mul aten::div "
    "aten::floor_divide aten::remainder".split()
)
_ELEMENTWISE = (
    "add sub mul div where masked_fill relu gelu silu tanh sigmoid leaky_relu elu"
).split()
_UNCHANGED = (
    "dropout contiguous to clone detach softmax log_softmax layer_norm rms_norm batch_norm "
    "group_norm type_as float double"
).split()
_RULES: dict[str, _Rule] = {
    **{f"aten::{name}": _elementwise for name in _ELEMENTWISE},
    **{f"aten::{name}": _like_the_first for name in _UNCHANGED},
    "aten::linear": _linear,
    "aten::matmul": _product,
    "aten::bmm": _product,
    "aten::mm": _product,
    "aten::addmm": _addmm,
    "aten::embedding": _embedding,
    "aten::view": _view,
    "aten::reshape": _view,
    "aten::transpose": _transpose,
    "aten::permute": _permute,
    "aten::_convolution": _convolution,
}
