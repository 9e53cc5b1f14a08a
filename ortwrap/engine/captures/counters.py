"""Python numbers that change from step to step: an epoch, a count, a schedule of either.

A graph that held one would be made anew for each of its values. What is computed of such numbers
alone is computed before the call, and the result goes in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.statement import place_of
from ortwrap.engine.names.arguments import arguments_for
from ortwrap.engine.names.members import Key

_OF_NUMBERS = frozenset("min max abs round pow float int".split())
_COUNTS = frozenset("range trange count".split())
_OPTIONS = re.compile(r"^(?:\w*args|opts?|cfg|\w*config|conf|hparams|params|hps?|flags|options)$")
_NUMBERS = (cst.Integer, cst.Float)


class Counters:
    """Answers for the expressions of one function."""

    def __init__(self, analyses: Analyses) -> None:
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._modules = analyses.modules
        self._reader = analyses.reader
        # What is being looked at: `step = step + 1` is a number if `step` is one otherwise.
        self._open: set[object] = set()
        self._given_to: dict[tuple[cst.CSTNode, str], list[cst.BaseExpression | None]] = {}
        self._attributes: dict[Key | None, list[cst.BaseExpression | None]] = {}

    def computes(self, node: cst.BaseExpression) -> bool:
        """`min(1.0, step / warmup)`, `epoch >= 3`: a number, computed of others that change."""
        if isinstance(node, cst.UnaryOperation) and self._is_plainly_turned(node):
            return False
        if place_of(node, self._reader.instance) is not None or not self.is_number(node):
            return False
        reads = self._reader.of(node).reads
        return any(self._changes(reader) for readers in reads.values() for reader in readers)

    def _is_plainly_turned(self, node: cst.UnaryOperation) -> bool:
        """`not` of an input reads well in forward, and so does `-weight`."""
        named = isinstance(node.expression, (cst.Name, cst.Attribute))
        return isinstance(node.operator, cst.Not) or (
            isinstance(node.operator, cst.Minus) and named
        )

    def is_changing_number(self, node: cst.CSTNode) -> bool:
        """A name or attribute that is a number, another at another step."""
        known = isinstance(node, (cst.Name, cst.Attribute)) and self.is_number(node)
        return known and self._changes(node)

    def compares_given(self, node: cst.BaseExpression) -> bool:
        """`weight != 0` of what the step's function is given: fails for no number, nor for None."""
        if not isinstance(node, cst.Comparison) or not self.is_number(node):
            return False
        sides = (node.left, *(item.comparator for item in node.comparisons))
        equal = all(
            isinstance(item.operator, (cst.Equal, cst.NotEqual)) for item in node.comparisons
        )
        return equal and all(isinstance(side, _NUMBERS) or self._is_given(side) for side in sides)

    def _is_given(self, node: cst.BaseExpression) -> bool:
        bound = self._bindings.lookup(node) if isinstance(node, cst.Name) else []
        return [binding.kind for binding in bound] == ["parameter"]

    def takes_numbers(self, call: cst.Call) -> bool:
        """`kl_weight(epoch)`: it is given numbers alone."""
        return bool(call.args) and all(self.is_number(item.value) for item in call.args)

    def is_number(self, node: cst.BaseExpression) -> bool:
        """It is a Python number or truth value for certain, as far as this file tells."""
        if isinstance(node, _NUMBERS):
            return True
        if isinstance(node, cst.UnaryOperation):
            return self.is_number(node.expression)
        if isinstance(node, (cst.BinaryOperation, cst.BooleanOperation)):
            return self.is_number(node.left) and self.is_number(node.right)
        if isinstance(node, cst.Comparison):
            compared = [item.comparator for item in node.comparisons]
            return all(self.is_number(part) for part in (node.left, *compared))
        if isinstance(node, cst.IfExp):
            return all(self.is_number(part) for part in (node.test, node.body, node.orelse))
        if isinstance(node, cst.Call):
            return self._gives_number(node)
        if isinstance(node, (cst.Name, cst.Attribute)):
            return self._holds_number(node)
        return False

    def _gives_number(self, node: cst.Call) -> bool:
        func = node.func
        builtin = isinstance(func, cst.Name) and self._bindings.resolve(func) is None
        if builtin and cst.ensure_type(func, cst.Name).value == "len":
            return True
        qualified = self._bindings.qualified(func) or ""
        known = qualified.startswith(("math.", "numpy."))
        known = known or (builtin and cst.ensure_type(func, cst.Name).value in _OF_NUMBERS)
        known = known or isinstance(self._bindings.definition(func), cst.FunctionDef)
        return known and self.takes_numbers(node)

    def _holds_number(self, node: cst.Name | cst.Attribute) -> bool:
        if isinstance(node, cst.Name):
            literal = node.value in ("True", "False")
            return literal or self._holds(node, list(self._sources_of_name(node)))
        if place_of(node, self._reader.instance) is None:
            return isinstance(node.value, cst.Name) and is_option_name(node.value.value)
        return self._holds(node, self._sources_of_attribute(node))

    def _holds(self, node: cst.CSTNode, sources: list[cst.BaseExpression | None]) -> bool:
        key = self._modules.key(node)
        if key in self._open:
            return True
        self._open.add(key)
        try:
            return bool(sources) and all(
                source is not None and self.is_number(source) for source in sources
            )
        finally:
            self._open.discard(key)

    def _sources_of_name(self, name: cst.Name) -> Iterator[cst.BaseExpression | None]:
        """What each binding of a name takes its value from; None where that is no number."""
        for binding in self._bindings.lookup(name):
            if binding.kind == "parameter":
                given = self._given(self._tree.enclosing(binding.node), name.value)
                yield from given or [None]
            elif binding.kind == "variable":
                yield self._source(binding.node)
            else:
                yield None

    def _source(self, target: cst.CSTNode) -> cst.BaseExpression | None:
        parent = self._tree.parents.get(target)
        if isinstance(parent, cst.AssignTarget):
            statement = self._tree.parents.get(parent)
            return statement.value if isinstance(statement, cst.Assign) else None
        if isinstance(parent, (cst.AugAssign, cst.AnnAssign, cst.NamedExpr)):
            return parent.value
        return cst.Integer("0") if self._counts(target) else None

    def _counts(self, target: cst.CSTNode) -> bool:
        """A loop over `range(...)`, or the first of each pair that `enumerate(...)` gives."""
        parent = self._tree.parents.get(target)
        if isinstance(parent, cst.For):
            return _is_call_of(parent.iter, _COUNTS)
        pair = self._tree.parents.get(parent) if isinstance(parent, cst.Element) else None
        loop = self._tree.parents.get(pair) if isinstance(pair, cst.Tuple) else None
        if not isinstance(pair, cst.Tuple) or not isinstance(loop, cst.For):
            return False
        first = len(pair.elements) == 2 and pair.elements[0].value is target
        return first and _is_call_of(loop.iter, frozenset(["enumerate"]))

    def _given(self, function: cst.CSTNode, name: str) -> list[cst.BaseExpression | None]:
        """What the calls of this file give a parameter."""
        if not isinstance(function, cst.FunctionDef):
            return []
        if (function, name) not in self._given_to:
            calls = (call for call in self._tree.calls if self._calls(call, function))
            given = arguments_for(function, name, calls)
            self._given_to[function, name] = [value for value in given if value is not None]
        return self._given_to[function, name]

    def _calls(self, call: cst.Call, function: cst.FunctionDef) -> bool:
        func = call.func
        if isinstance(func, cst.Attribute):
            method = self._tree.enclosing_class(function) is not None
            return method and func.attr.value == function.name.value
        return self._bindings.definition(func) is function

    def _sources_of_attribute(self, node: cst.Attribute) -> list[cst.BaseExpression | None]:
        key = self._modules.key(node)
        if key not in self._attributes:
            added = (
                statement.value
                for statement in self._tree.assignments
                if isinstance(statement, cst.AugAssign)
                and self._modules.key(statement.target) == key
            )
            self._attributes[key] = [*self._modules.values(node), *added]
        return self._attributes[key]

    def _changes(self, node: cst.CSTNode) -> bool:
        """It has another value at another step."""
        if isinstance(node, cst.Name):
            bound = self._bindings.lookup(node)
            loops = any(self._counts(binding.node) for binding in bound)
            return loops or len(bound) > 1 or any(item.kind == "parameter" for item in bound)
        return isinstance(node, cst.Attribute) and len(self._sources_of_attribute(node)) > 1


def is_option_name(owner: str) -> bool:
    """By custom the attributes of `args` and its like are the same at every step."""
    return _OPTIONS.match(owner) is not None


def _is_call_of(node: cst.BaseExpression, names: frozenset[str]) -> bool:
    """A call of one of the names, itself or within the bar that shows its progress."""
    while isinstance(node, cst.Call):
        func = node.func
        name = func.attr.value if isinstance(func, cst.Attribute) else ""
        name = func.value if isinstance(func, cst.Name) else name
        if name in names:
            return True
        if not node.args:
            return False
        node = node.args[0].value
    return False
