"""Who reads a value of torch's trace, and by which operators it gets there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

# What keeps the elements, and their order.
RESHAPES = frozenset(f"aten::{name}" for name in "view view_as reshape reshape_as flatten".split())
SAME = frozenset({"aten::contiguous", "aten::to", "aten::clone"})

# What of a tensor is told by numbers of their own.
_SIZES = frozenset({"aten::size", "aten::numel"})
# Of these the second tensor gives a shape or a dtype.
LIKE_ANOTHER = frozenset(
    f"aten::{name}" for name in "view_as expand_as reshape_as type_as to".split()
)
# These make a tensor of the shape and the dtype of another one.
LIKE_IT = frozenset(f"aten::{name}" for name in "zeros_like ones_like full_like".split())


def way_back(value: Any, known: Collection[str]) -> list[Any]:
    """The nodes through which `value` was made, from the last to the first of the `known` kinds."""
    path = []
    node = value.node()
    while node.kind() in known:
        path.append(node)
        node = next(node.inputs()).node()
    return path


def source_of(value: Any, path: Sequence[Any]) -> Any:
    """What `value` was before it went through `path`, its way back."""
    return next(path[-1].inputs()) if path else value


def is_read_once(result: Any, path: Sequence[Any]) -> bool:
    """Whether `result` goes along `path` to one reader and nowhere else; sizes may be asked.

    Args:
        result: what the first node of the path gets.
        path: the way back from the reader to it.
    """
    # Two wrappers of one node are not equal: their outputs' names tell them apart.
    own = {node.output().debugName() for node in path}
    reads = 0
    for value in (result, *(node.output() for node in path)):
        for use in value.uses():
            if _asks_for_sizes(use):
                continue
            outputs = use.user.outputs()
            reads += not any(output.debugName() in own for output in outputs)
    return reads == 1


def _asks_for_sizes(use: Any) -> bool:
    kind = use.user.kind()
    return kind in _SIZES | LIKE_IT or (kind in LIKE_ANOTHER and use.offset > 0)
