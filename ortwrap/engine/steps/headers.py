"""A loss that the condition around its backward binds: `if (loss := criterion(out, y)) > 0:`."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.text.tree import Unit


def bound_in_header(unit: Unit, place: str | None) -> cst.BaseExpression | None:
    """What an `if` binds a name to before it decides; None if it may decide without."""
    test = unit.node.test if isinstance(unit.node, cst.If) else None
    node: cst.CSTNode | None = test
    while node is not None and not isinstance(node, cst.NamedExpr):
        node = _evaluated_first(node)
    named = isinstance(node, cst.NamedExpr) and isinstance(node.target, cst.Name)
    found = cst.ensure_type(node, cst.NamedExpr) if named else None
    if found is None or cst.ensure_type(found.target, cst.Name).value != place:
        return None
    return found.value


def _evaluated_first(node: cst.CSTNode) -> cst.CSTNode | None:
    """The part of an expression that comes before all else, of functions their one argument."""
    if isinstance(node, (cst.Comparison, cst.BooleanOperation, cst.BinaryOperation)):
        return node.left
    if isinstance(node, cst.UnaryOperation):
        return node.expression
    if isinstance(node, (cst.Attribute, cst.Subscript)):
        return node.value
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and not node.args:
        return node.func
    return node.args[0].value if isinstance(node, cst.Call) and len(node.args) == 1 else None
