"""`del model`, `model = None`: the wrapper holds the model, so that it has to go with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Union

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.plan import Part
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.tree import SourceTree, Unit
from ortwrap.engine.writing.deletions import targets_of

Release = Union[cst.Del, cst.Assign]


def releases_of(found: LossSlice, parts: Iterable[Part], analyses: Analyses) -> tuple[Release, ...]:
    """The statements that let go of one of a step's modules once it has run."""
    tree = analyses.tree
    function = tree.enclosing(found.sink.call)
    places = {place for part in parts for place in (part.place, *part.roots)}
    return tuple(
        node
        for node in tree.units
        if isinstance(node, (cst.Del, cst.Assign))
        and tree.enclosing(node) is function
        and any(tree.code(target) in places for target in _released_by(node))
        and _may_come_after(node, found, tree)
    )


def _may_come_after(node: cst.CSTNode, found: LossSlice, tree: SourceTree) -> bool:
    """It stands behind the step, or in a loop around it."""
    step = found.sink.call
    if tree.span(node).start > tree.span(step).start:
        return True
    loops = (each for each in tree.ancestors(node) if isinstance(each, (cst.For, cst.While)))
    return any(loop in tree.ancestors(step) for loop in loops)


def _released_by(node: Release) -> list[cst.BaseExpression]:
    if isinstance(node, cst.Del):
        return targets_of(node)
    empty = isinstance(node.value, cst.Name) and node.value.value == "None"
    return [target.target for target in node.targets] if empty else []


def is_surely_made(site: Unit, at: Unit, tree: SourceTree) -> bool:
    """Every path to a statement has passed the one before which the wrapper is made."""
    current: Unit | None = at
    while current is not None:
        if current.block is site.block:
            return site.index <= current.index
        current = tree.parent_unit(current)
    return False
