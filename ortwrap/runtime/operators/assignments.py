"""Assignments by a mask to a part of a tensor: `x[mask, 0] = y`, `x[:, 1:3][mask] = 0`.

torch traces one as a view of the part, `x[:, 0]`, that a mask writes to. The exporter makes indices
of both that count the dimensions of the whole, and the mask becomes something else. So the mask
makes a new part of the old one, and that is assigned as any tensor is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import getitem
from typing import Any, Callable, NamedTuple

import torch
from torch import Tensor

from .aliases import makes_part
from .arguments import NotSupported, arguments_of, constant_of
from .paths import before_assignments, is_tensor, scalar_type, traced_sizes
from .registry import as_graph, torch_node

_ALL = slice(None)
# To the exporter an `index_put` of a slice is an assignment to that slice.
_PUT = torch.ops.aten._unsafe_index_put


class _Key(NamedTuple):
    """What stands in the brackets of an assignment.

    Attributes:
        part: what of it makes a view.
        chosen: the tensors that choose among the elements of the view, None for a dimension of
            which all are meant.
        rank: how many dimensions the chosen elements have.
    """

    part: tuple[Any, ...]
    chosen: list[Tensor | None]
    rank: int


class _Part(NamedTuple):
    """`whole[key]`, of numbers and slices."""

    tensor: Tensor
    whole: Tensor
    key: Any


class Assignments:
    """Makes the assignments of one trace."""

    def __init__(self) -> None:
        self._parts: dict[int, _Part] = {}

    def note(self, part: Any, whole: Tensor, key: Any) -> None:
        """`part` is `whole[key]`."""
        if isinstance(part, Tensor) and makes_part(key):
            self._parts[id(part)] = _Part(part, whole, key)

    def make(
        self, before: Callable[[Tensor], None], written: Tensor, key: Any, value: Any
    ) -> Tensor | None:
        """Does `written[key] = value`, if a mask chooses from a part.

        Args:
            before: is told what will have been assigned to.
            written: the part, or what it is a part of.
            key: what stands in the brackets.
            value: what is assigned.

        Returns:
            What that is; None if it has done nothing.
        """
        parts = _taken_apart(key, written.dim())
        if parts is None:
            return None
        whole, keys = self._whole(written)
        if not isinstance(key, Tensor):
            keys.append(parts.part)
        elif not keys:
            return None
        before(whole)
        given = value
        if not isinstance(value, Tensor):
            # A constant of the trace itself may be an alias of anything to the exporter.
            given = torch.tensor(value, dtype=written.dtype).clone()
        while given.dim() > parts.rank:
            given = given.squeeze(0)
        new = _PUT(reduce(getitem, keys, whole), parts.chosen, given)
        # The exporter knows a view that is written to by the line that makes it: this one.
        reduce(getitem, keys[:-1], whole)[keys[-1]] = new
        return whole

    def _whole(self, tensor: Tensor) -> tuple[Tensor, list[Any]]:
        """What a tensor is a part of, and by which keys, one after the other."""
        keys: list[Any] = []
        while (part := self._parts.get(id(tensor))) is not None:
            tensor = part.whole
            keys.insert(0, part.key)
        return tensor, keys


def _taken_apart(key: Any, rank: int) -> _Key | None:
    """A key with a mask in it; None if there is none, or what is beside it is of a rarer kind."""
    pieces = key if isinstance(key, tuple) else (key,)
    if not any(map(_is_mask, pieces)) or not all(map(_is_common, pieces)):
        return None
    part: list[Any] = []
    chosen: list[Tensor | None] = []
    for piece in _of_each_dimension(pieces, rank):
        if _chooses(piece):
            part += [_ALL] * _taken(piece)
            chosen.append(piece)
        else:
            part.append(piece)
            chosen += [None] * isinstance(piece, slice)
    made = max(1 if _is_mask(piece) else piece.dim() for piece in chosen if piece is not None)
    rank = chosen.count(None) + made
    while chosen[-1] is None:
        del chosen[-1]
    return _Key(tuple(part), chosen, rank)


def _is_mask(piece: Any) -> bool:
    return isinstance(piece, Tensor) and piece.dtype is torch.bool and piece.dim() > 0


def _chooses(piece: Any) -> bool:
    return isinstance(piece, list) or (isinstance(piece, Tensor) and piece.dim() > 0)


def _is_common(piece: Any) -> bool:
    if isinstance(piece, Tensor):
        return _is_mask(piece) or piece.dtype is torch.int64
    return piece is Ellipsis or type(piece) in (int, slice)


def _taken(piece: Any) -> int:
    """How many dimensions a piece of a key is about."""
    return piece.dim() if _is_mask(piece) else 1


def _of_each_dimension(pieces: Sequence[Any], rank: int) -> list[Any]:
    """The pieces, with a slice for each dimension that none is about."""
    left = rank - sum(_taken(piece) for piece in pieces if piece is not Ellipsis)
    if not any(piece is Ellipsis for piece in pieces):
        pieces = (*pieces, Ellipsis)
    listed: list[Any] = []
    for piece in pieces:
        listed += [_ALL] * left if piece is Ellipsis else [piece]
    return listed


def _put(g: Any, written: Any, *exported: Any) -> Any:
    """index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate)"""
    traced = list(g.original_node.inputs())
    # Of an assignment to a part the trace tells the type of the part, or none.
    g.original_node.output().setType(before_assignments(traced[0]).type())
    overload = torch.ops.aten.index_put.default
    arguments = arguments_of(overload, traced, (written, *exported), g.graph)
    return torch_node("inputs", g, _written, arguments)


def _written(
    written: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool
) -> Tensor:
    """What `index_put` returns, of values as the exporter gives those of a part.

    That has no dimension for a number that chose the part. And where all is written it gives no
    indices.
    """
    if not indices:
        return values.expand_as(written)
    if not any(index is None or index.dtype is torch.bool for index in indices):
        shape = _places([index.shape for index in indices if index is not None], written.shape)
        if values.dim() and values.numel() == shape.numel():
            values = values.reshape(shape)
    result: Tensor = torch.ops.aten.index_put(written, indices, values, accumulate)
    return result


def _places(indices: Sequence[Sequence[int]], written: Sequence[int]) -> torch.Size:
    """The shape of what indices of these shapes choose of a tensor of that shape."""
    chosen = torch.broadcast_shapes(*indices)  # type: ignore[no-untyped-call]
    return torch.Size([*chosen, *written[len(indices) :]])


def _is_torchs(g: Any, written: Any, indices: Any, values: Any, accumulate: Any) -> bool:
    """index_put: what the exporter has no nodes for, or other ones."""
    whole, given, source, *_ = g.original_node.inputs()
    listed = list(given.node().inputs())
    if constant_of(accumulate) or scalar_type(written) in ("Double", "Bool"):
        return True
    if any(map(_is_truth, listed)):
        # Of a mask of all, and a number, it makes a choice.
        of_all = len(listed) == 1 and _rank(listed[0]) == _rank(whole)
        return not of_all or constant_of(values) is None
    return _is_broadcast(whole, listed, source)


def _rank(value: Any) -> int | None:
    rank: int | None = before_assignments(value).type().dim()
    return rank


def _is_truth(index: Any) -> bool:
    return scalar_type(index) == "Bool"


def _is_broadcast(written: Any, indices: Sequence[Any], values: Any) -> bool:
    """Whether the exporter, which gives values the shape of their places, has too few of them."""
    shapes = [traced_sizes(index) for index in indices if is_tensor(index)]
    whole, given = traced_sizes(written), traced_sizes(values)
    if not given or whole is None or None in shapes or len(shapes) < len(indices):
        return False
    places = _places([shape for shape in shapes if shape is not None], whole)
    return math.prod(given) != places.numel()


def _masks_before_others(g: Any, *_: Any) -> bool:
    """index_put: `x[mask, 0] = ...` as torch traces it, of which no mask of x is left."""
    _, indices, *_ = g.original_node.inputs()
    made = [index.node() for index in indices.node().inputs()]
    views = (node for node in made if node.kind() == "aten::view")
    return any(scalar_type(next(node.inputs())) == "Bool" for node in views)


def _refuse_mask(g: Any, *_: Any) -> Any:
    raise NotSupported("an assignment by a mask and further indices after it")


OPERATORS = (
    *as_graph("_unsafe_index_put", _put),
    *as_graph("index_put", _put, when=_is_torchs),
    *as_graph("index_put", _refuse_mask, when=_masks_before_others),
)
