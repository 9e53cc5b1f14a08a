"""Names of a script whose contents the run of a model may change: no forward may be given those."""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import cached_property

import libcst as cst

from ortwrap.engine.effects.filled_elsewhere import filled_elsewhere
from ortwrap.engine.effects.statement import EffectsReader, instance_name
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import descendants


class FilledPlaces:
    """Finds such names in one script."""

    def __init__(self, bindings: Bindings, module_classes: Container[cst.CSTNode]) -> None:
        self._tree = bindings.tree
        self._bindings = bindings
        self._module_classes = module_classes

    @cached_property
    def names(self) -> frozenset[str]:
        """Names outside of functions and lambdas that these, or other files, fill."""
        found = {*filled_elsewhere(self._bindings), *self._by_lambdas()}
        return frozenset(found.union(*map(self._by_function, self._tree.functions)))

    def _by_function(self, function: cst.FunctionDef) -> set[str]:
        if function in self._training or self._is_run_from_outside(function):
            return set()
        scope = self._bindings.scope(function)
        effects = EffectsReader(self._bindings, function).of(function.body)
        # `self.log_alpha.requires_grad = True`, of what a constructor itself has just made.
        new = function.name.value == "__init__"
        own = {place for place in effects.writes if "." in place} if new else set()
        return {
            place
            for place in effects.mutates - own
            if place not in scope.names and not self._bindings.is_imported(place, function)
        }

    def _is_run_from_outside(self, function: cst.FunctionDef) -> bool:
        """`set_input` of a trainer, which this file never mentions, nor does it give `self` away.

        A model that knows neither the method nor the object runs no such thing.
        """
        home = self._tree.enclosing_class(function)
        if home is None or home in self._module_classes or function.decorators:
            return False
        name = function.name.value
        if name.startswith("__") or name in self._mentioned:
            return False
        return not any(map(self._is_given_away, descendants(home.body)))

    @cached_property
    def _mentioned(self) -> set[str]:
        """Attributes and texts of the file."""
        nodes = list(descendants(self._tree.module))
        texts = (node.evaluated_value for node in nodes if isinstance(node, cst.SimpleString))
        attributes = (node.attr.value for node in nodes if isinstance(node, cst.Attribute))
        return {*attributes, *(text for text in texts if isinstance(text, str))}

    def _is_given_away(self, node: cst.CSTNode) -> bool:
        """`Net(self)`; not `Base.__init__(self, options)`, nor `self.x`."""
        function = self._tree.enclosing(node) if isinstance(node, cst.Name) else None
        if function is None or not isinstance(node, cst.Name):
            return False
        if node.value != instance_name(function, self._bindings):
            return False
        parent = self._tree.parents.get(node)
        if isinstance(parent, (cst.Attribute, cst.Param)):
            return isinstance(parent, cst.Attribute) and parent.value is not node
        call = self._tree.parents.get(parent) if isinstance(parent, cst.Arg) else None
        func = call.func if isinstance(call, cst.Call) else None
        base = isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name)
        own = base and func.attr.value == function.name.value  # type: ignore[union-attr]
        by_super = isinstance(func, cst.Name) and func.value == "super"
        return not (own or by_super)

    def _by_lambdas(self) -> Iterator[str]:
        for node in descendants(self._tree.module):
            if isinstance(node, cst.Lambda):
                reader = EffectsReader(self._bindings, self._tree.enclosing(node))
                yield from reader.of(node).mutates

    @cached_property
    def _training(self) -> set[cst.FunctionDef]:
        """Functions that run backward, themselves or by a call: no model's forward runs these."""
        found: set[cst.FunctionDef] = set()
        before = -1
        while before != len(found):
            before = len(found)
            for call in self._tree.calls:
                home = self._tree.enclosing(call)
                backward = (
                    isinstance(call.func, cst.Attribute) and call.func.attr.value == "backward"
                )
                trains = backward or self._bindings.definition(call.func) in found
                if trains and isinstance(home, cst.FunctionDef):
                    found.add(home)
        return found
