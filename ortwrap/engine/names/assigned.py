"""The values that a script assigns to its places one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from typing import Callable, TypeVar

import libcst as cst

from ortwrap.engine.text.tree import SourceTree

_Key = TypeVar("_Key", bound=Hashable)
_Pair = tuple[cst.CSTNode, cst.BaseExpression]


def assigned_values(
    tree: SourceTree, key: Callable[[cst.CSTNode], _Key | None]
) -> dict[_Key, list[cst.BaseExpression]]:
    """Every expression that is assigned to a place by its own.

    Args:
        tree: the script.
        key: tells places apart; None for what is no place.
    """
    found: dict[_Key, list[cst.BaseExpression]] = defaultdict(list)
    for node in tree.assignments:
        for target, value in _pairs(node):
            place = key(target)
            if place is not None:
                found[place].append(value)
    return dict(found)


def _pairs(assignment: cst.CSTNode) -> Iterator[_Pair]:
    if isinstance(assignment, cst.Assign):
        for target in assignment.targets:
            yield from parallel(target.target, assignment.value)
    elif isinstance(assignment, (cst.AnnAssign, cst.NamedExpr)) and assignment.value is not None:
        yield assignment.target, assignment.value


def parallel(target: cst.CSTNode, value: cst.BaseExpression) -> Iterator[_Pair]:
    """`a, b = f(), g()` assigns twice; a single target and its value are a pair as they are."""
    if not isinstance(target, (cst.Tuple, cst.List)):
        yield target, value
        return
    if not isinstance(value, (cst.Tuple, cst.List)) or len(value.elements) != len(target.elements):
        return
    elements = (*target.elements, *value.elements)
    if not any(isinstance(element, cst.StarredElement) for element in elements):
        for one, its_value in zip(target.elements, value.elements):
            yield from parallel(one.value, its_value.value)
