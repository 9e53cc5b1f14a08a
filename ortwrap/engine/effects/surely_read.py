"""Places that running a piece of code reads, whichever way its conditions go."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.effects.statement import place_of
from ortwrap.engine.text.nodes import children

_MAY_LEAVE_EARLY = (cst.Try, cst.TryStar, cst.Match, cst.Lambda, cst.FunctionDef, cst.ClassDef)


def surely_read(node: cst.CSTNode | None, instance: str | None) -> set[str]:
    """Places without which the code would fail.

    Args:
        node: a statement or an expression.
        instance: the name of the instance in the method around it.
    """
    if node is None or isinstance(node, (*_MAY_LEAVE_EARLY, cst.AssignTarget)):
        return set()
    place = place_of(node, instance)
    if place is not None:
        return {place}
    if isinstance(node, (cst.If, cst.IfExp)):
        either = surely_read(node.body, instance) & surely_read(node.orelse, instance)
        return surely_read(node.test, instance) | either
    if isinstance(node, (cst.For, cst.CompFor)):
        return surely_read(node.iter, instance)
    if isinstance(node, cst.While):
        return surely_read(node.test, instance)
    if isinstance(node, cst.BooleanOperation):
        return surely_read(node.left, instance)
    inside = [node.for_in] if isinstance(node, cst.BaseComp) else children(node)
    return set().union(*(surely_read(child, instance) for child in inside))
