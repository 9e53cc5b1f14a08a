"""Names that only ever hold what is written out, or what was asked about the kind of a value.

has_attention = isinstance(output, tuple)

A branch on one goes the same way at every step of a graph whose inputs are of the same kinds.
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.effects.facts import asks_for_facts
from ortwrap.engine.evidence.counts import is_size
from ortwrap.engine.names.bindings import Binding, Bindings

_LITERALS = (cst.Integer, cst.Float, cst.SimpleString)
_CONSTANTS = frozenset(["True", "False", "None"])


def is_flag(node: cst.CSTNode, bindings: Bindings) -> bool:
    """Each assignment to a local name gives it a literal, or an answer about kinds and shapes."""
    home = bindings.resolve(node) if isinstance(node, cst.Name) else None
    if home is None or home.is_module or not isinstance(node, cst.Name):
        return False
    anew = {name for scope in bindings.scopes() for name in scope.declared_nonlocal}
    bound = home.names[node.value]
    return node.value not in anew and all(_holds_a_fact(binding, bindings) for binding in bound)


def _holds_a_fact(binding: Binding, bindings: Bindings) -> bool:
    target = bindings.tree.parents.get(binding.node)
    assign = bindings.tree.parents.get(target) if target is not None else None
    plain = isinstance(target, cst.AssignTarget) and isinstance(assign, cst.Assign)
    return plain and _is_fact(cst.ensure_type(assign, cst.Assign).value, bindings)


def _is_fact(value: cst.BaseExpression, bindings: Bindings) -> bool:
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Not):
        return _is_fact(value.expression, bindings)
    if isinstance(value, cst.BooleanOperation):
        return _is_fact(value.left, bindings) and _is_fact(value.right, bindings)
    if isinstance(value, cst.Comparison):
        sides = (value.left, *(item.comparator for item in value.comparisons))
        return asks_for_facts(value) or all(_is_known(side, bindings) for side in sides)
    return _is_known(value, bindings) or asks_for_facts(value)


def _is_known(value: cst.BaseExpression, bindings: Bindings) -> bool:
    """A number, a word, True, False or None, or the size of something."""
    if isinstance(value, cst.Name):
        return value.value in _CONSTANTS
    return isinstance(value, _LITERALS) or is_size(value, bindings)
