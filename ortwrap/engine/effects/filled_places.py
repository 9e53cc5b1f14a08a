"""Names of a script whose contents the run of a model may change: no forward may be given those."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import libcst as cst

from ortwrap.engine.effects.filled_elsewhere import filled_elsewhere
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import descendants


class FilledPlaces:
    """Finds such names in one script."""

    def __init__(self, bindings: Bindings) -> None:
        self._tree = bindings.tree
        self._bindings = bindings

    @cached_property
    def names(self) -> frozenset[str]:
        """Names outside of functions and lambdas that these, or other files, fill."""
        found = {*filled_elsewhere(self._bindings), *self._by_lambdas()}
        return frozenset(found.union(*map(self._by_function, self._tree.functions)))

    def _by_function(self, function: cst.FunctionDef) -> set[str]:
        if function in self._training:
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
