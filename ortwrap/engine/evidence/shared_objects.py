"""Places of one function that hold the same object, by what the rest of the script does.

`self.settings` of a trainer that was made with `SETTINGS` is that dict; a class whose attributes
are set is read by its instances.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Union

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.arguments import arguments_for
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.members import Key

Origin = Union[Key, cst.ClassDef]


class SharedObjects:
    """Follows places back to where their objects come from."""

    def __init__(self, bindings: Bindings, modules: ModuleTable) -> None:
        self._tree = bindings.tree
        self._bindings = bindings
        self._modules = modules

    def ties(self, function: cst.CSTNode, reader: EffectsReader) -> Iterator[tuple[str, str]]:
        """Pairs of places of a function that may hold one object."""
        body = function.body if isinstance(function, cst.FunctionDef) else function
        effects = reader.of(body)
        first: dict[Origin, str] = {}
        read = {place: readers[0] for place, readers in effects.reads.items()}
        own = next((node for place, node in read.items() if "." in place), None)
        if own is not None and reader.instance is not None:
            read[reader.instance] = cst.ensure_type(own, cst.Attribute).value
        for place, node in read.items():
            for origin in self._origins(node):
                known = first.setdefault(origin, place)
                if known != place and not self._is_class_unchanged(origin, effects.mutates):
                    yield known, place

    def _is_class_unchanged(self, origin: Origin, mutated: set[str]) -> bool:
        """Instances share what their class has only where some statement changes that."""
        return isinstance(origin, cst.ClassDef) and origin.name.value not in mutated

    def _origins(self, node: cst.CSTNode) -> set[Origin]:
        found: set[Origin] = set()
        waiting = [node]
        while waiting:
            current = waiting.pop()
            defined = self._class_of(current)
            found.update(() if defined is None else self._modules.classes.family(defined))
            key = self._modules.key(current)
            if key is not None and key not in found:
                found.add(key)
                waiting += self._given_to(current)
        return found

    def _class_of(self, node: cst.CSTNode) -> cst.ClassDef | None:
        """The class that a name stands for, that an instance has, or that a call makes one of."""
        if isinstance(node, cst.Call):
            node = node.func
        elif self._is_instance(node):
            return self._modules.classes.home(node)
        defined = self._bindings.definition(node) if isinstance(node, cst.Name) else None
        return defined if isinstance(defined, cst.ClassDef) else None

    def _is_instance(self, node: cst.CSTNode) -> bool:
        function = self._tree.enclosing(node)
        instance = EffectsReader(self._bindings, function).instance
        return instance is not None and isinstance(node, cst.Name) and node.value == instance

    def _given_to(self, node: cst.CSTNode) -> Iterable[cst.CSTNode]:
        """What is assigned to a place, and what calls of this file pass for a parameter."""
        yield from self._modules.values(node)
        for binding in self._bindings.lookup(node) if isinstance(node, cst.Name) else ():
            if binding.kind != "parameter":
                continue
            function = self._tree.enclosing(binding.node)
            home = self._tree.enclosing_class(function)
            constructs = home is not None and self._modules.classes.constructor(home) is function
            if home is None or constructs:
                calls = self._bindings.calls_of(home or function)
            else:
                calls = self._calls_by_name(function)
            name = cst.ensure_type(node, cst.Name).value
            yield from filter(None, arguments_for(function, name, calls))

    def _calls_by_name(self, method: cst.CSTNode) -> list[cst.Call]:
        """`trainer.step(batch)`, whatever object that is."""
        name = cst.ensure_type(method, cst.FunctionDef).name.value
        return [
            call
            for call in self._tree.calls
            if isinstance(call.func, cst.Attribute) and call.func.attr.value == name
        ]
