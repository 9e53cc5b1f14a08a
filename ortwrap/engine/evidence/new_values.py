"""Numbers that are computed where they stand: nothing else holds them, and they hold nothing."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.names.bindings import Bindings

_NUMBERS = frozenset("float int len bool round".split())
_ONE_OF_THEM = frozenset("min max".split())


def is_new_number(value: cst.BaseExpression, bindings: Bindings) -> bool:
    """`min(1.0, self.count / self.steps)`: no tensor, list or object that was there before.

    A sum may be one of two lists, which hold what they held; one with a number cannot.
    """
    if isinstance(value, (cst.Integer, cst.Float)):
        return True
    if isinstance(value, cst.BinaryOperation):
        if isinstance(value.operator, (cst.Divide, cst.Subtract, cst.Power)):
            return True
        return any(is_new_number(side, bindings) for side in (value.left, value.right))
    if isinstance(value, cst.IfExp):
        return is_new_number(value.body, bindings) and is_new_number(value.orelse, bindings)
    if not isinstance(value, cst.Call):
        return False
    if (bindings.qualified(value.func) or "").startswith("math."):
        return True
    if not isinstance(value.func, cst.Name) or bindings.resolve(value.func) is not None:
        return False
    if value.func.value in _NUMBERS:
        return True
    given = (argument.value for argument in value.args)
    return value.func.value in _ONE_OF_THEM and all(is_new_number(each, bindings) for each in given)
