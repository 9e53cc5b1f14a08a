"""What the run of a model changes and reads beside its arguments and its result.

Its forward does, forward hooks do, and the context managers that it runs in. A step's call moves up
to the model's, or down to the loss: what reads such a trace has to stay behind the run, and what
changes the values that the run reads on the side where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Union

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.objects import Objects
from ortwrap.engine.names.bindings import Bindings, Scope
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree

_REGISTERS = re.compile(r"^register_\w*forward\w*hook$")
_BEFORE_ANY_RUN = frozenset(["__init__", "__new__", "__setstate__"])
_CALLED = ("__call__", "forward")
_OF_PACKAGES = ("torch.", "numpy.", "os.", "sys.", "warnings.", "logging.")

Callable = Union[cst.FunctionDef, cst.Lambda]


def registers_a_hook(call: cst.Call) -> bool:
    """`layer.register_forward_hook(keep)`."""
    name = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    return bool(call.args) and isinstance(name, cst.Name) and bool(_REGISTERS.match(name.value))


class Traces:
    """The code of one script that a model's run executes, and what that code changes."""

    def __init__(self, tree: SourceTree, bindings: Bindings, modules: ModuleTable) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._objects = Objects(tree, bindings, modules)
        self._reads: dict[cst.CSTNode, set[tuple[Scope | None, str]]] = {}

    def read_in(self, node: cst.CSTNode, reader: EffectsReader) -> str | None:
        """The code in `node` that reads what a model's run may have changed; None if none does."""
        if not self._changed_names and not self._changed_attributes:
            return None
        for inner in descendants(node):
            if isinstance(inner, cst.Name) and self._is_changed(inner):
                return inner.value
            if isinstance(inner, cst.Attribute) and self._may_be_changed(inner, node, reader):
                return self._tree.code(inner)
        return None

    def _is_changed(self, name: cst.Name) -> bool:
        return (self._bindings.resolve(name), name.value) in self._changed_names

    def _may_be_changed(
        self, node: cst.Attribute, around: cst.CSTNode, reader: EffectsReader
    ) -> bool:
        """An attribute, or what a method or property tells, of an object that has been changed."""
        changed_in = self._changed_attributes.get(node.attr.value)
        classes, owner = self._modules.classes, node.value
        if changed_in is None or self._modules.is_trainable(owner):
            return False
        if isinstance(owner, cst.Name) and owner.value == reader.instance:
            home = classes.home(node)
            return home is not None and bool(changed_in & set(classes.family(home)))
        made = list(self._objects.made(owner))
        homes = filter(None, map(classes.made_by, made))
        if any(changed_in & set(classes.family(home)) for home in homes):
            return True
        return not made and isinstance(owner, cst.Name) and self._is_bound_in(around, owner)

    def _is_bound_in(self, around: cst.CSTNode, name: cst.Name) -> bool:
        """`sum(hook.loss for hook in hooks)`, or the same as a loop."""
        loops = (loop for loop in descendants(around) if isinstance(loop, (cst.For, cst.CompFor)))
        targets = (target for loop in loops for target in descendants(loop.target))
        return any(isinstance(item, cst.Name) and item.value == name.value for item in targets)

    def is_read_by(self, nodes: Iterable[cst.CSTNode], name: str, at: cst.CSTNode) -> bool:
        """Running `nodes` reads a name, as it is bound there, in some function or lambda."""
        place = (self._bindings.scope_of(at).owner(name), name)
        return place[0] is not None and any(place in self._read_by(node) for node in nodes)

    def _read_by(self, node: cst.CSTNode) -> set[tuple[Scope | None, str]]:
        if node not in self._reads:
            run: list[Callable] = []
            for call in descendants(node):
                if isinstance(call, cst.Call):
                    trains = self._modules.is_trainable(call.func)
                    run += self._forwards() if trains else self._callables(call.func)
            functions = self._with_called(run)
            self._reads[node] = {item for f in functions for item in self._free_names(f)}
        return self._reads[node]

    def _free_names(self, function: Callable) -> Iterator[tuple[Scope | None, str]]:
        scope = self._bindings.scope(function)
        for inner in descendants(function.body):
            if isinstance(inner, cst.Name) and inner.value not in scope.names:
                owner = self._bindings.resolve(inner)
                if owner is not None:
                    yield owner, inner.value

    # -- what is changed -------------------------------------------------------------------------

    @cached_property
    def _changed_names(self) -> set[tuple[Scope | None, str]]:
        found: set[tuple[Scope | None, str]] = set()
        for function in self._run_by_models:
            scope = self._bindings.scope(function)
            effects = EffectsReader(self._bindings, function).of(function.body)
            declared = scope.declared_global | scope.declared_nonlocal
            given = set(self._given_attributes(function))
            for name in (effects.writes & declared) | effects.mutates | given:
                own = name in scope.names and name not in declared
                if "." not in name and not own and not self._is_package(name, function.body):
                    found.add((self._bindings.scope_of(function.body).owner(name), name))
        return found

    def _given_attributes(self, function: Callable) -> Iterator[str]:
        """`setattr(store, "kept", output)`: the object's name."""
        for call in descendants(function.body):
            if isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.args:
                first = call.args[0].value
                if call.func.value == "setattr" and isinstance(first, cst.Name):
                    yield first.value

    def _is_package(self, name: str, at: cst.CSTNode) -> bool:
        """Whose settings are no values of the loss."""
        owner = self._bindings.scope_of(at).owner(name)
        bound = owner.names[name] if owner is not None else []
        return any(f"{binding.target}.".startswith(_OF_PACKAGES) for binding in bound)

    @cached_property
    def _changed_attributes(self) -> dict[str, set[cst.ClassDef]]:
        """Attributes, and methods that read them, with the classes whose instances have them."""
        changed: dict[cst.ClassDef, set[str]] = {}
        for function in self._run_by_models:
            reader = EffectsReader(self._bindings, function)
            home = self._modules.classes.home(function)
            own = f"{reader.instance}."
            for place in reader.of(function.body).changes:
                if home is not None and place.startswith(own):
                    changed.setdefault(home, set()).add(place[len(own) :])
        found: dict[str, set[cst.ClassDef]] = {}
        for home, names in changed.items():
            for name in names | set(self._tellers(home, names)):
                found.setdefault(name, set()).add(home)
        return found

    def _tellers(self, home: cst.ClassDef, names: set[str]) -> Iterator[str]:
        for method in home.body.body:
            if isinstance(method, cst.FunctionDef) and method.name.value not in _BEFORE_ANY_RUN:
                reader = EffectsReader(self._bindings, method)
                if {f"{reader.instance}.{name}" for name in names} & set(
                    reader.of(method.body).reads
                ):
                    yield method.name.value

    # -- what is run -----------------------------------------------------------------------------

    @cached_property
    def _run_by_models(self) -> list[Callable]:
        """Forward, hooks, contexts, and the functions that these call."""
        return self._with_called((*self._forwards(), *self._hooks(), *self._contexts()))

    def _with_called(self, functions: Iterable[Callable]) -> list[Callable]:
        found = dict.fromkeys(functions)
        waiting = list(found)
        while waiting:
            for called in self._called_by(waiting.pop()):
                if called not in found:
                    found[called] = None
                    waiting.append(called)
        return list(found)

    def _forwards(self) -> Iterator[cst.FunctionDef]:
        for home in self._tree.classes:
            if home in self._modules.module_classes and not self._modules.classes.is_lightning(
                home
            ):
                for item in home.body.body:
                    if isinstance(item, cst.FunctionDef) and item.name.value == "forward":
                        yield item

    def _hooks(self) -> Iterator[Callable]:
        for call in self._tree.calls:
            if registers_a_hook(call):
                yield from self._callables(call.args[0].value)

    def _contexts(self) -> Iterator[Callable]:
        """What `with scaled(2):` runs before and after a model in it."""
        for node in descendants(self._tree.module):
            if isinstance(node, cst.With) and any(
                map(self._modules.is_trainable, descendants(node.body))
            ):
                for item in node.items:
                    yield from self._run_around(item.item)

    def _run_around(self, context: cst.BaseExpression) -> Iterator[Callable]:
        made = [context] if isinstance(context, cst.Call) else list(self._objects.made(context))
        for call in made:
            defined = self._bindings.definition(call.func)
            if isinstance(defined, cst.FunctionDef):
                yield defined
            if isinstance(defined, cst.ClassDef):
                around = ("__enter__", "__exit__")
                yield from self._modules.classes.inherited_among(defined, around)

    def _callables(self, value: cst.BaseExpression) -> Iterable[Callable]:
        """What runs when a value is called."""
        if isinstance(value, cst.Lambda):
            return [value]
        if isinstance(value, cst.Attribute):
            return self._modules.classes.methods(value.attr.value)
        if isinstance(value, cst.Call):
            return self._callables_of_result(value)
        defined = self._bindings.definition(value)
        if isinstance(defined, cst.FunctionDef):
            return [defined]
        values = [one for one in self._modules.values(value) if not isinstance(one, cst.Name)]
        return [found for one in values for found in self._callables(one)]

    def _callables_of_result(self, call: cst.Call) -> Iterable[Callable]:
        """`Keeper(name)`, `partial(keep, name)`, `make_hook(name)`."""
        if self._bindings.qualified(call.func) == "functools.partial" and call.args:
            return self._callables(call.args[0].value)
        made = self._bindings.definition(call.func)
        if isinstance(made, cst.ClassDef):
            return self._modules.classes.inherited_among(made, _CALLED)
        if made is None and isinstance(call.func, cst.Attribute):
            makers: list[cst.CSTNode] = [*self._modules.classes.methods(call.func.attr.value)]
        else:
            makers = [made] if made is not None else []
        return [
            inner
            for maker in makers
            for inner in descendants(maker)
            if inner is not maker and isinstance(inner, (cst.FunctionDef, cst.Lambda))
        ]

    def _called_by(self, function: Callable) -> Iterator[Callable]:
        for call in descendants(function.body):
            if not isinstance(call, cst.Call):
                continue
            defined = self._bindings.definition(call.func)
            if isinstance(defined, cst.FunctionDef):
                yield defined
            elif isinstance(call.func, cst.Attribute):
                yield from self._modules.classes.methods(call.func.attr.value)
