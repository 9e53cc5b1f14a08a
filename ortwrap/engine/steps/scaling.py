"""Statements that only scale a loss: `loss / accumulation_steps`, `scaler.scale(loss)`.

    if accumulation_steps > 1:
        loss = loss / accumulation_steps

scales it too.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.statement import place_of
from ortwrap.engine.text.tree import Unit


@dataclass(frozen=True)
class Scaling:
    """A statement that binds `target` to `inner` times or divided by some of `factors`."""

    target: str | None
    inner: str | None
    factors: tuple[cst.BaseExpression, ...]


def scaling_of(unit: Unit, instance: str | None) -> Scaling | None:
    """What a statement multiplies or divides, and into which place."""
    return _scaling_by(unit.node, instance)


def _scaling_by(node: cst.CSTNode, instance: str | None) -> Scaling | None:
    if isinstance(node, cst.If):
        return _scaling_of_branches(node, instance)
    if isinstance(node, (cst.IndentedBlock, cst.SimpleStatementLine, cst.SimpleStatementSuite)):
        return _scaling_by(node.body[0], instance) if len(node.body) == 1 else None
    if isinstance(node, cst.AugAssign):
        if not isinstance(node.operator, (cst.DivideAssign, cst.MultiplyAssign)):
            return None
        target = place_of(node.target, instance)
        return Scaling(target, target, (node.value,))
    if not isinstance(node, cst.Assign) or len(node.targets) != 1:
        return None
    scaled = _argument_of_scale(node.value)
    core, factors = factors_of(node.value if scaled is None else scaled)
    if not factors and scaled is None:
        return None
    return Scaling(
        place_of(node.targets[0].target, instance), place_of(core, instance), tuple(factors)
    )


def _scaling_of_branches(node: cst.If, instance: str | None) -> Scaling | None:
    """What an `if` does each branch of which only scales the same place, in place."""
    scalings = [_scaling_by(node.body, instance)]
    if node.orelse is not None:
        other = node.orelse if isinstance(node.orelse, cst.If) else node.orelse.body
        scalings.append(_scaling_by(other, instance))
    places = {place for each in scalings if each for place in (each.target, each.inner)}
    if len(places) != 1 or None in scalings:
        return None
    (place,) = places
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
