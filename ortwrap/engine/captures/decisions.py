"""Questions about counts and schedules that a branch of the slice is taken on: `epoch > warmup`.

They are asked before the call and the answer goes in: a graph that was told the number itself would
be made anew for each of its values.
"""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.counters import Counters
from ortwrap.engine.effects.statement import place_of
from ortwrap.engine.text.nodes import descendants

_COUNTS_STEPS = re.compile(r"(?:^|_)(?:epoch|step|iter|iteration)$")
_ORDERS = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)
_EQUALITIES = (cst.Equal, cst.NotEqual)
_NUMBERS = (cst.Integer, cst.Float)
_COMPUTED = (cst.Call, cst.BinaryOperation, cst.IfExp)


class Decisions:
    """Answers for the expressions of one function."""

    def __init__(self, analyses: Analyses, counters: Counters) -> None:
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._modules = analyses.modules
        self._reader = analyses.reader
        self._counters = counters

    def is_one(self, node: cst.BaseExpression) -> bool:
        """A branch is taken on it: `step > warmup`, or all of `use_term and step > warmup`."""
        if isinstance(node, cst.BooleanOperation):
            parts = list(_operands(node))
            asked = any(self._counters.computes(part) or self._asks(part) for part in parts)
            return asked and all(map(self._is_plain, parts)) and self._is_test(node)
        return self._asks(node) and self._is_test(node)

    def _is_test(self, node: cst.BaseExpression) -> bool:
        """The branch is taken on it alone, or on it `and` something else."""
        test: cst.CSTNode = node
        branch = self._tree.parents.get(test)
        while isinstance(branch, cst.BooleanOperation):
            test, branch = branch, self._tree.parents.get(branch)
        return isinstance(branch, (cst.If, cst.IfExp)) and branch.test is test

    def _asks(self, node: cst.BaseExpression) -> bool:
        if not isinstance(node, cst.Comparison) or len(node.comparisons) > 1:
            return False
        ((operator, other),) = [(each.operator, each.comparator) for each in node.comparisons]
        reads = self._reader.of(node).reads
        if isinstance(operator, _ORDERS) and any(map(_COUNTS_STEPS.search, reads)):
            return True
        if not isinstance(operator, (*_ORDERS, *_EQUALITIES)):
            return False
        if isinstance(other, _NUMBERS) and self._is_computed_anew(node.left):
            return True
        readers = (reader for found in reads.values() for reader in found)
        return any(self._counters.is_changing_number(reader) for reader in readers)

    def _is_computed_anew(self, node: cst.BaseExpression) -> bool:
        """`weight`, if each round computes it: `weight = ramp(epoch)`."""
        if not isinstance(node, cst.Name):
            return False
        values = self._modules.values(node)
        if not values or not all(isinstance(value, _COMPUTED) for value in values):
            return False
        function = self._tree.enclosing(node)
        loop = next(self._tree.loops_around(node), None)
        bound = self._bindings.lookup(node)
        return bool(bound) and all(
            binding.kind == "variable"
            and self._tree.enclosing(binding.node) is function
            and (loop is None or loop in self._tree.ancestors(binding.node))
            for binding in bound
        )

    def _is_plain(self, node: cst.BaseExpression) -> bool:
        """Names, options and what is asked about them: nothing that has to be computed."""
        if isinstance(node, cst.UnaryOperation):
            return isinstance(node.operator, cst.Not) and self._is_plain(node.expression)
        if isinstance(node, cst.Comparison):
            return not any(
                isinstance(inner, (cst.Call, cst.Subscript)) for inner in descendants(node)
            )
        return isinstance(node, cst.Attribute) or place_of(node, self._reader.instance) is not None


def _operands(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """`a`, `b` and `c` of `a and b and c`."""
    if not isinstance(node, cst.BooleanOperation):
        return [node]
    return [*_operands(node.left), *_operands(node.right)]
