"""Statements that only scale a loss: `loss / accumulation_steps`, `scaler.scale(loss)`.

    if accumulation_steps > 1:
        loss = loss / accumulation_steps

scales it too, whatever else the branch does that has nothing to do with the loss:

        accuracy = accuracy / accumulation_steps
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.statement import place_of
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Unit

_LEAVES = (cst.Return, cst.Raise, cst.Break, cst.Continue, cst.Yield, cst.Await)


@dataclass(frozen=True)
class Scaling:
    """A statement that binds `target` to `inner` times or divided by some of `factors`."""

    target: str
    inner: str | None
    factors: tuple[cst.BaseExpression, ...]


def scaling_of(unit: Unit, place: str, instance: str | None) -> Scaling | None:
    """What a statement multiplies or divides into a place."""
    return _scaling_by(unit.node, place, instance)


def _scaling_by(node: cst.CSTNode, place: str, instance: str | None) -> Scaling | None:
    if isinstance(node, cst.If):
        return _scaling_of_branches(node, place, instance)
    if isinstance(node, (cst.IndentedBlock, cst.SimpleStatementLine, cst.SimpleStatementSuite)):
        return _scaling_among(node.body, place, instance)
    if isinstance(node, cst.AugAssign):
        if not isinstance(node.operator, (cst.DivideAssign, cst.MultiplyAssign)):
            return None
        scales = place_of(node.target, instance) == place
        return Scaling(place, place, (node.value,)) if scales else None
    if not isinstance(node, cst.Assign) or len(node.targets) != 1:
        return None
    scaled = _argument_of_scale(node.value)
    core, factors = factors_of(node.value if scaled is None else scaled)
    scales = bool(factors) or scaled is not None
    if not scales or place_of(node.targets[0].target, instance) != place:
        return None
    return Scaling(place, place_of(core, instance), tuple(factors))


def _scaling_among(
    statements: Sequence[cst.CSTNode], place: str, instance: str | None
) -> Scaling | None:
    """What the one of some statements that has to do with a place does, if it scales it."""
    found: list[Scaling | None] = []
    for node in statements:
        inside = list(descendants(node))
        if any(place_of(inner, instance) == place for inner in inside):
            found.append(_scaling_by(node, place, instance))
        elif any(isinstance(inner, _LEAVES) for inner in inside):
            return None
    return found[0] if len(found) == 1 else None


def _scaling_of_branches(node: cst.If, place: str, instance: str | None) -> Scaling | None:
    """What an `if` does each branch of which only scales the place, in place."""
    scalings = [_scaling_by(node.body, place, instance)]
    if node.orelse is not None:
        other = node.orelse if isinstance(node.orelse, cst.If) else node.orelse.body
        scalings.append(_scaling_by(other, place, instance))
    if any(each is None or each.inner != place for each in scalings):
        return None
    factors = (factor for each in scalings if each for factor in each.factors)
    return Scaling(place, place, (*factors, node.test))


def factors_of(value: cst.BaseExpression) -> tuple[cst.BaseExpression, list[cst.BaseExpression]]:
    """`loss * a / b` taken apart into `loss` and its factors."""
    factors: list[cst.BaseExpression] = []
    while isinstance(value, cst.BinaryOperation) and isinstance(
        value.operator, (cst.Divide, cst.Multiply)
    ):
        factors.append(value.right)
        value = value.left
    return value, factors


def _argument_of_scale(value: cst.BaseExpression) -> cst.BaseExpression | None:
    """`loss` in `scaler.scale(loss)`."""
    if not isinstance(value, cst.Call) or not isinstance(value.func, cst.Attribute):
        return None
    scales = value.func.attr.value in ("scale", "scale_loss") and len(value.args) == 1
    return value.args[0].value if scales else None
