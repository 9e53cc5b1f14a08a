"""Attributes of an instance that what a step calls reads: do they stay as long as steps run?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Callable

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader, instance_name, place_of
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import calls_in

_BUILDS = frozenset(["__init__", "setup", "build"])


def changes_after_init(
    attribute: str,
    home: cst.ClassDef | None,
    bindings: Bindings,
    meanwhile: Collection[cst.FunctionDef] | None,
) -> bool:
    """Another method of a class than those that build it assigns an attribute.

    Args:
        attribute: its name.
        home: the class.
        bindings: names of the script.
        meanwhile: the functions that may run between two steps; None for all of them.
    """
    for function in bindings.tree.functions:
        if bindings.tree.enclosing_class(function) is not home:
            continue
        builds = function.name.value in _BUILDS
        if builds or (meanwhile is not None and function not in meanwhile):
            continue
        reader = EffectsReader(bindings, function)
        if f"{reader.instance}.{attribute}" in reader.of(function.body).changes:
            return True
    return False


class Meanwhile:
    """What may run between two steps of a function's loop.

    Args:
        function: the function.
        bindings: names of the script.
        method_of: the method that a call of a plain object runs.
    """

    def __init__(
        self,
        function: cst.CSTNode,
        bindings: Bindings,
        method_of: Callable[[cst.BaseExpression], cst.FunctionDef | None],
    ) -> None:
        self._function = function
        self._bindings = bindings
        self._functions = functions_run_by(function, bindings, method_of)

    def changes(self, attribute: str, home: cst.ClassDef | None) -> bool:
        """It gives an attribute of the instances of a class another value."""
        if changes_after_init(attribute, home, self._bindings, self._functions):
            return True
        own = home is self._bindings.tree.enclosing_class(self._function)
        return not own and self._sets(attribute)

    def runs(self, node: cst.CSTNode) -> bool:
        """A statement is among what runs there: not above the loop."""
        tree = self._bindings.tree
        function = tree.enclosing(node)
        if function is self._function:
            return tree.is_in_a_loop(node)
        return function in self._functions

    def _sets(self, attribute: str) -> bool:
        """`agent.temperature = ...`, of whatever object."""
        for node in self._bindings.tree.assignments:
            if not self.runs(node):
                continue
            if any(
                _is_given_to_another(each, attribute, self._bindings) for each in _targets(node)
            ):
                return True
        return False


def functions_run_by(
    function: cst.CSTNode,
    bindings: Bindings,
    method_of: Callable[[cst.BaseExpression], cst.FunctionDef | None],
) -> frozenset[cst.FunctionDef]:
    """A function and what it may call by a name or of its own instance, all of this file.

    Args:
        function: the function.
        bindings: names of the script.
        method_of: the method that a call of a plain object runs.
    """
    named: dict[str, list[cst.FunctionDef]] = {}
    for each in bindings.tree.functions:
        named.setdefault(each.name.value, []).append(each)
    found: dict[cst.CSTNode, None] = {function: None}
    for known in (waiting := [function]):
        for place in EffectsReader(bindings, known).of(_body(known)).reads:
            mentioned = named.get(place.rpartition(".")[2], [])
            waiting += [each for each in mentioned if each not in found]
            found.update(dict.fromkeys(mentioned))
        methods = (method_of(call.func) for call in calls_in(_body(known)))
        known_methods = [each for each in methods if each is not None and each not in found]
        waiting += known_methods
        found.update(dict.fromkeys(known_methods))
    return frozenset(each for each in found if isinstance(each, cst.FunctionDef))


def _targets(node: cst.CSTNode) -> list[cst.BaseExpression]:
    if isinstance(node, cst.Assign):
        return [each.target for each in node.targets]
    return [node.target] if isinstance(node, (cst.AnnAssign, cst.AugAssign)) else []


def _is_given_to_another(target: cst.BaseExpression, attribute: str, bindings: Bindings) -> bool:
    """An attribute of an object other than the instance that the code around is a method of."""
    if not isinstance(target, cst.Attribute) or target.attr.value != attribute:
        return False
    return place_of(target, instance_name(bindings.tree.enclosing(target), bindings)) is None


def _body(function: cst.CSTNode) -> cst.CSTNode:
    return function.body if isinstance(function, cst.FunctionDef) else function
