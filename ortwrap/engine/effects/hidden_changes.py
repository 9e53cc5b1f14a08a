"""What the functions that a statement calls may change, of what they are given or find around them.

A condition that reads `args.warm` comes out as before only as long as nothing that got hold of
`args` has run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import libcst as cst

from ortwrap.engine.effects.aliases import Aliases
from ortwrap.engine.effects.harmless import only_uses
from ortwrap.engine.effects.statement import EffectsReader, root_place
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import children


@dataclass
class HiddenChanges:
    """What the calls of one statement may do.

    Attributes:
        places: those that a function of this file binds anew or changes.
        handed: objects, as they are written, that code unknown to this file gets hold of.
    """

    places: set[str] = field(default_factory=set)
    handed: set[str] = field(default_factory=set)


class Callees:
    """Looks through the functions that the code of one script calls."""

    def __init__(self, bindings: Bindings, modules: ModuleTable) -> None:
        self._tree = bindings.tree
        self._bindings = bindings
        self._modules = modules
        self._changed: dict[tuple[cst.FunctionDef, bool], frozenset[str]] = {}

    def changes(
        self, node: cst.CSTNode, reader: EffectsReader, *, surely: bool = False
    ) -> HiddenChanges:
        """What the calls in a statement may change, apart from what the statement itself does.

        Args:
            node: the statement.
            reader: of the function that it stands in.
            surely: leave out what is no more than possible.
        """
        found = HiddenChanges()
        for call in _calls_that_run(node):
            function = self._modules.classes.called(call.func, reader.instance)
            if function is not None:
                found.places.update(self._seen_from(call, function, reader, surely))
            elif not surely and not self._leaves_alone(call):
                found.handed.update(map(self._tree.code, _objects_given(call, reader)))
        return found

    def changed_by(self, function: cst.FunctionDef, *, surely: bool = False) -> frozenset[str]:
        """Places, as the function calls them, that it changes: parameters, globals, `self.x`."""
        key = function, surely
        if key not in self._changed:
            self._changed[key] = frozenset()  # ends the recursion of functions
            self._changed[key] = frozenset(self._find_changed(function, surely))
        return self._changed[key]

    def _find_changed(self, function: cst.FunctionDef, surely: bool) -> Iterator[str]:
        reader = EffectsReader(self._bindings, function)
        scope = self._bindings.scope(function)
        effects = reader.of(function.body)
        inner = self.changes(function.body, reader, surely=surely)
        mutated = effects.mutates | inner.places
        given = set(parameters_of(function))
        if surely:
            # Under the name of a parameter something new may have been made.
            yield from given & mutated - effects.writes
        else:
            yield from given & Aliases(reader, function).closure(mutated | inner.handed)
        outer = scope.declared_global | scope.declared_nonlocal
        for place in effects.writes | mutated:
            if place in outer or place not in scope.names:
                yield place

    def _seen_from(
        self, call: cst.Call, function: cst.FunctionDef, reader: EffectsReader, surely: bool
    ) -> Iterator[str]:
        """The places that a call changes, as its own function calls them."""
        own = EffectsReader(self._bindings, function).instance
        given = dict(pair_arguments(function, call))
        for place in self.changed_by(function, surely=surely):
            if own is not None and place.split(".")[0] == own:
                if reader.instance is not None:
                    yield reader.instance + place[len(own) :]
            elif place in given:
                root = root_place(given[place], reader.instance)
                if root is not None:
                    yield root
            elif place not in parameters_of(function):
                yield place

    def _leaves_alone(self, call: cst.Call) -> bool:
        """It computes, reports, or runs a module: what it is given stays as it is."""
        func = call.func
        if self._modules.evidence(func) is not None:
            return True
        return only_uses(func, self._bindings)


def parameters_of(function: cst.FunctionDef) -> list[str]:
    """The names of a function's parameters, but for those of the starred ones."""
    params = function.params
    each = (*params.posonly_params, *params.params, *params.kwonly_params)
    return [param.name.value for param in each]


def _calls_that_run(node: cst.CSTNode) -> Iterator[cst.Call]:
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.Call):
            yield current
        if not isinstance(current, (cst.FunctionDef, cst.Lambda)):
            stack.extend(children(current))


def _objects_given(call: cst.Call, reader: EffectsReader) -> Iterable[cst.BaseExpression]:
    """What a call can get hold of: the object of the method, and arguments written as names."""
    owner = [call.func.value] if isinstance(call.func, cst.Attribute) else []
    each = [*owner, *(argument.value for argument in call.args)]
    return [node for node in each if _is_chain(node) and root_place(node, reader.instance)]


def _is_chain(node: cst.BaseExpression) -> bool:
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name)
