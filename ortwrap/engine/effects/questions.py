"""What a function asks of the values of tensors whenever it runs: `if mask.sum() == 0: return ...`.

A graph cannot go one way for one batch and another way for the next: whoever calls such a function
on the way to the loss runs eagerly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

import libcst as cst

from ortwrap.engine.effects.facts import is_fact_of_tensor
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import children, descendants

Values = Callable[[cst.CSTNode], "list[cst.BaseExpression]"]

# What turns a tensor into one value, whichever elements it has.
REDUCTIONS = frozenset("any all sum max min mean prod item equal allclose count_nonzero".split())
_RAISE = (cst.Raise, cst.Assert)


def first_question(
    function: cst.FunctionDef, bindings: Bindings, values: Values
) -> cst.BaseExpression | None:
    """The first branch of a function that it takes by a tensor's values, each time it runs.

    One that only raises is none: that is asked before the graph runs.

    Args:
        function: what is called.
        bindings: the names of its file.
        values: what is assigned to a name there.
    """
    for test in _tests(function):
        if _is_of_tensors(_asked_first(test), function, bindings, values):
            return test
    return None


def reduces(call: cst.CSTNode, bindings: Bindings) -> str | None:
    """`any` of `mask.any()` and of `torch.any(mask)`, and other methods by their names."""
    if not isinstance(call, cst.Call):
        return None
    qualified = bindings.qualified(call.func)
    if qualified is not None:
        return qualified[len("torch.") :] if qualified.startswith("torch.") else None
    return call.func.attr.value if isinstance(call.func, cst.Attribute) else None


def is_reduced(name: cst.CSTNode, values: Values, bindings: Bindings) -> bool:
    """`count`, where each `count = mask.sum()` makes it a tensor of one value."""
    given = values(name)
    return bool(given) and all(reduces(value, bindings) in REDUCTIONS - {"item"} for value in given)


def _tests(function: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
    """The conditions of the branches that no other branch stands around."""
    for statement in function.body.body:
        if isinstance(statement, cst.If):
            if not _only_raises(statement):
                yield statement.test
        elif isinstance(statement, cst.SimpleStatementLine):
            for node in descendants(statement):
                if isinstance(node, cst.IfExp):
                    yield node.test


def _only_raises(branch: cst.If) -> bool:
    inside: cst.CSTNode = branch.body
    while isinstance(
        inside, (cst.IndentedBlock, cst.SimpleStatementLine, cst.SimpleStatementSuite)
    ):
        inside = inside.body[-1]
    return isinstance(inside, _RAISE)


def _asked_first(test: cst.BaseExpression) -> cst.BaseExpression:
    """What is asked in any case: `a` of `a and b`."""
    while isinstance(test, (cst.BooleanOperation, cst.UnaryOperation)):
        test = test.left if isinstance(test, cst.BooleanOperation) else test.expression
    return test


def _is_of_tensors(
    test: cst.BaseExpression, function: cst.FunctionDef, bindings: Bindings, values: Values
) -> bool:
    """It reduces something that the function is given or makes to a value."""
    own = bindings.scope(function).names
    asked = list(_asked_for_values(test))
    names = [node for node in asked if isinstance(node, cst.Name)]
    if not any(name.value in own for name in names):
        return False
    reduced = any(reduces(node, bindings) in REDUCTIONS for node in asked)
    return reduced or any(is_reduced(name, values, bindings) for name in names)


def _asked_for_values(test: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The parts of a condition, but for `x.is_cuda` and the like: that is no value of `x`."""
    if not is_fact_of_tensor(test):
        yield test
        for inner in children(test):
            yield from _asked_for_values(inner)
