"""Names that mean something to a script already: what is generated must not go by them."""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from ortwrap.engine.names.bindings import Bindings, Scope


class TakenNames:
    """Tells which names one script has a use for, and where."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings

    @cached_property
    def nowhere_bound(self) -> frozenset[str]:
        """What the script reads and does not bind, such as what a star import brings."""
        names = self._bindings.tree.names
        unbound = (name.value for name in names if self._bindings.resolve(name) is None)
        return frozenset(unbound)

    @cached_property
    def anywhere(self) -> frozenset[str]:
        """What any scope of the script binds or reads."""
        bound = (name for scope in self._bindings.scopes() for name in scope.names)
        return self.nowhere_bound.union(bound)

    def is_hidden(self, name: str) -> bool:
        """Some function or class binds a name of the module for itself."""
        scopes = (scope for scope in self._bindings.scopes() if not scope.is_module)
        return any(name in scope.names for scope in scopes)

    def in_function(self, function: cst.CSTNode) -> frozenset[str]:
        """What code of a function, or of the module, may mean something else by."""
        names = set(self.nowhere_bound)
        scope: Scope | None = self._bindings.scope(function)
        while scope is not None:
            names.update(scope.names)
            scope = scope.parent
        return frozenset(names)
