"""Objects of plain classes that a step uses beside its modules: meters, buffers, schedules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.new_values import is_new_number
from ortwrap.engine.names.arguments import arguments_for
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.classes import RUN_BY_A_CALL
from ortwrap.engine.names.elsewhere import defined_elsewhere
from ortwrap.engine.names.made_elsewhere import returned
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree

_CLASS_NAME = re.compile(r"^[A-Z]\w*[a-z]\w*$")
_NO_OBJECTS = re.compile(r"^(?:torch|numpy|jax|tensorflow)\.|\.autograd\.")
_LOADER = re.compile(r"\bDataLoader$")
_ONLY_COUNT = frozenset(["len", "range"])
_TIED_TO_MODULES = re.compile(r"optim|\bopt\b|parameters|state_dict|sched", re.IGNORECASE)


class Objects:
    """Tells how the objects of one script were made, and what their methods change."""

    def __init__(self, tree: SourceTree, bindings: Bindings, modules: ModuleTable) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules

    def is_apart(self, owner: cst.CSTNode) -> bool:
        """It was made by a class that was given no module: its methods run none and update none."""
        made = list(self.made(owner))
        return bool(made) and all(map(self._is_apart, made))

    def methods(self, func: cst.Attribute) -> Iterator[tuple[cst.FunctionDef, cst.ClassDef]]:
        """What a method call runs, as far as this file defines it, and in which class."""
        for home in map(self._modules.classes.made_by, self.made(func.value)):
            if home is not None and home not in self._modules.module_classes:
                method = self._modules.classes.inherited(home, func.attr.value)
                if method is not None:
                    yield method, home

    def changes(self, func: cst.Attribute) -> str | None:
        """What of its own object a method of this file changes, such as `count`."""
        changed = (self.changed_by_method(*found) for found in self.methods(func))
        here = next(filter(None, changed), None)
        return here or self._changed_elsewhere(self.made(func.value), [func.attr.value])

    def gives_number(self, func: cst.Attribute) -> bool:
        """`schedule.weight()`: every method that this may run returns a number, as is seen here."""
        values = [value for method, _ in self.methods(func) for value in returned(method)]
        return bool(values) and all(is_new_number(value, self._bindings) for value in values)

    def changed_by_method(self, method: cst.FunctionDef, home: cst.ClassDef) -> str | None:
        """What of its object a method changes, itself or by others that it calls."""
        return self._changed_by(method, home, set())

    def changed_by_a_call(self, owner: cst.CSTNode) -> str | None:
        """What of a callable object of this file, such as a criterion, calling it changes."""
        classes = self._modules.classes
        values = self._modules.values(owner) or list(self.made(owner))
        changed = (
            self.changed_by_method(method, home)
            for home in filter(None, map(classes.made_by, values))
            for method in classes.inherited_among(home, RUN_BY_A_CALL)
        )
        here = next(filter(None, changed), None)
        made = (value for value in values if isinstance(value, cst.Call))
        return here or self._changed_elsewhere(made, RUN_BY_A_CALL)

    def _changed_elsewhere(self, made: Iterable[cst.Call], names: Sequence[str]) -> str | None:
        """The same where a class of another file made the object."""
        for call in made:
            found = defined_elsewhere(call.func, self._bindings)
            home = found.node if found is not None else None
            if found is None or not isinstance(home, cst.ClassDef):
                continue
            modules = found.file.modules
            if names is not RUN_BY_A_CALL and home in modules.module_classes:
                continue
            there = Objects(found.file.tree, found.file.bindings, modules)
            methods = modules.classes.inherited_among(home, names)
            changed = (there.changed_by_method(each, home) for each in methods)
            what = next(filter(None, changed), None)
            if what is not None:
                return what
        return None

    def is_only_called(self, owner: cst.BaseExpression) -> bool:
        """The function around calls it, and nothing else in this file mentions what it made."""
        function = self._tree.enclosing(owner)
        own = owner.attr if isinstance(owner, cst.Attribute) else owner
        for node in descendants(self._tree.module):
            if not (isinstance(node, cst.Name) and node.deep_equals(own)):
                continue
            above = self._tree.parents[node]
            whole = above if isinstance(above, cst.Attribute) and above.attr is node else node
            holder = self._tree.parents[whole]
            if isinstance(holder, cst.Call):
                if holder.func is not whole or self._tree.enclosing(holder) is not function:
                    return False
            elif not isinstance(holder, cst.AssignTarget):
                return False
        return True

    def run_by_a_call(self, made: cst.CSTNode) -> Iterator[cst.FunctionDef]:
        """The methods of this file that calling an object runs, given how it was made."""
        home = self._modules.classes.made_by(made)
        if home is not None:
            yield from self._modules.classes.inherited_among(home, RUN_BY_A_CALL)

    def loader_among(self, iterated: cst.CSTNode) -> cst.CSTNode | None:
        """What a loop over an expression draws batches from: `loader` in `enumerate(loader)`."""
        if isinstance(iterated, cst.Call):
            func = iterated.func
            if isinstance(func, cst.Name) and func.value in _ONLY_COUNT:
                return None
            found = (self.loader_among(argument.value) for argument in iterated.args)
            return next(filter(None, found), None)
        values = self._modules.values(iterated) or list(self._given(iterated))
        made = [self._tree.code(value.func) for value in values if isinstance(value, cst.Call)]
        return iterated if any(map(_LOADER.search, made)) else None

    def is_made_once(self, name: cst.Name) -> bool:
        """The function around binds the name once, in no branch or loop, to a new object.

        A wrapper can hold such an object: to a step it is the same at every call.
        """
        bound = self._bindings.lookup(name)
        owner = self._bindings.resolve(name)
        if owner is None or len(bound) != 1 or self._tree.enclosing(name) is not owner.node:
            return False
        unit = self._tree.unit_of(bound[0].node)
        value = unit.node.value if isinstance(unit.node, cst.Assign) else None
        straight = unit.block.owner is owner.node
        return straight and value is not None and self._makes_object(value)

    def _makes_object(self, value: cst.BaseExpression) -> bool:
        """`Schedule(...)`, `Schedule.from_pretrained(...)`, a copy of either."""
        if isinstance(value, cst.Name):
            return self.is_made_once(value)
        if not isinstance(value, cst.Call):
            return False
        func = value.func
        if self._bindings.qualified(func) == "copy.deepcopy" and value.args:
            return self._makes_object(value.args[0].value)
        named = isinstance(func, cst.Attribute) and func.attr.value.startswith("from_")
        return self._is_class(cst.ensure_type(func, cst.Attribute).value if named else func)

    def _changed_by(
        self, method: cst.FunctionDef, home: cst.ClassDef, seen: set[cst.FunctionDef]
    ) -> str | None:
        seen.add(method)
        reader = EffectsReader(self._bindings, method)
        own = f"{reader.instance}."
        changed = sorted(p for p in reader.of(method.body).changes if p.startswith(own))
        if changed:
            return changed[0][len(own) :]
        for call in self._tree.calls:
            if self._tree.enclosing(call) is not method or not isinstance(call.func, cst.Attribute):
                continue
            if self._tree.code(call.func.value) != reader.instance:
                continue
            inner = self._modules.classes.inherited(home, call.func.attr.value)
            found = None
            if inner is not None and inner not in seen:
                found = self._changed_by(inner, home, seen)
            if found is not None:
                return found
        return None

    def made(self, owner: cst.CSTNode) -> Iterator[cst.Call]:
        """The constructor calls that made the object; none where another way is possible."""
        values = self._modules.all_values(owner) or ()
        values = [made for value in values for made in self._modules.values(value) or (value,)]
        if all(isinstance(value, cst.Call) and self._is_class(value.func) for value in values):
            yield from (cst.ensure_type(value, cst.Call) for value in values)

    def _given(self, owner: cst.CSTNode) -> Iterator[cst.BaseExpression]:
        """What the callers of this file pass for a parameter."""
        bound = self._bindings.lookup(owner) if isinstance(owner, cst.Name) else []
        if len(bound) != 1 or bound[0].kind != "parameter":
            return
        function = self._tree.enclosing(bound[0].node)
        name = cst.ensure_type(owner, cst.Name).value
        for argument in arguments_for(function, name, self._bindings.calls_of(function)):
            if argument is not None:
                yield from self._modules.values(argument) or [argument]

    def _is_class(self, func: cst.BaseExpression) -> bool:
        if isinstance(self._bindings.definition(func), cst.ClassDef):
            return True
        qualified = self._bindings.qualified(func) or ""
        if isinstance(func, cst.Name) and self._bindings.resolve(func) is None:
            # From `from utils import *`: no builtin is spelled like a class, but for exceptions.
            qualified = func.value
        name = qualified.rpartition(".")[2]
        return bool(_CLASS_NAME.match(name)) and not _NO_OBJECTS.search(qualified)

    def _is_apart(self, made: cst.Call) -> bool:
        defined = self._bindings.definition(made.func)
        if defined in self._modules.module_classes:
            return False
        # The name of a class tells of what it is given where the class itself cannot be read.
        told = made.args if isinstance(defined, cst.ClassDef) else (made,)
        if any(_TIED_TO_MODULES.search(self._tree.code(each)) for each in told):
            return False
        return not any(self._modules.is_trainable(argument.value) for argument in made.args)
