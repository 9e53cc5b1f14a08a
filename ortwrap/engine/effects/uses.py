"""Objects of this file that change when they are merely used: shown, compared, gone through, asked.

`print(meter)` runs its `__str__`, `temperature.current` the getter of a property.
"""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from ortwrap.engine.effects.statement import place_of
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.objects import Objects
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import descendants

# What is no use of the object as it is: making, calling and changing it is looked after elsewhere.
_OTHER_WAYS = frozenset(
    "__init__ __new__ __post_init__ __call__ __enter__ __exit__ __setattr__ __setitem__ "
    "__delitem__ __delattr__ __del__ __setstate__ __getstate__ __reduce__ __init_subclass__".split()
)
_OF_ATTRIBUTES = frozenset(["__getattr__", "__getattribute__"])
_OF_ITEMS = frozenset(["__getitem__"])
_GETTERS = ("property", "cached_property")


class Uses:
    """Answers for the objects of one script."""

    def __init__(self, bindings: Bindings, modules: ModuleTable, objects: Objects) -> None:
        self._tree = bindings.tree
        self._bindings = bindings
        self._modules = modules
        self._objects = objects

    def changes(self, node: cst.CSTNode, instance: str | None) -> set[str]:
        """Places whose objects change where a piece of code uses them."""
        if not self._changing:
            return set()
        found: set[str] = set()
        for inner in descendants(node):
            place = place_of(inner, instance)
            if place is not None and self.changed_by(inner) is not None:
                found.add(place)
        return found

    def changed_by(self, node: cst.CSTNode) -> str | None:
        """What the one use of an object that a node makes changes of it; None if nothing."""
        names = self._runs(node) & self._changing if self._changing else None
        if not names:
            return None
        homes = filter(None, map(self._modules.classes.made_by, self._objects.made(node)))
        changed = (self._changed_unseen(home, name) for home in homes for name in sorted(names))
        return next(filter(None, changed), None)

    def _changed_unseen(self, home: cst.ClassDef, name: str) -> str | None:
        method = self._modules.classes.inherited(home, name)
        if method is None or not self._runs_unseen(method):
            return None
        return self._objects.changed_by_method(method, home)

    def _runs(self, node: cst.CSTNode) -> set[str]:
        """The methods of an object that reading it where the node stands may run."""
        parent = self._tree.parents.get(node)
        if isinstance(parent, cst.Attribute) and parent.value is node:
            return {parent.attr.value, *_OF_ATTRIBUTES}
        if isinstance(parent, cst.Subscript) and parent.value is node:
            return set(_OF_ITEMS)
        if isinstance(parent, (cst.AssignTarget, cst.Param, cst.Call, cst.AsName)):
            return set()
        special = {name for name in self._changing if name.startswith("__")}
        return special - _OF_ATTRIBUTES - _OF_ITEMS

    @cached_property
    def _changing(self) -> frozenset[str]:
        """The names of the methods that run unseen and change their object."""
        found: set[str] = set()
        for method in filter(self._runs_unseen, self._tree.functions):
            home = self._tree.enclosing_class(method)
            if home is not None and self._objects.changed_by_method(method, home) is not None:
                found.add(method.name.value)
        return frozenset(found)

    def _runs_unseen(self, method: cst.FunctionDef) -> bool:
        name = method.name.value
        special = name.startswith("__") and name.endswith("__") and name not in _OTHER_WAYS
        decorators = {self._tree.code(item.decorator) for item in method.decorators}
        return special or any(text.rpartition(".")[2] in _GETTERS for text in decorators)
