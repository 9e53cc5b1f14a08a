"""Globals of other files that two pieces of a step both touch, so that their order matters.

    out = model(x)
    config.WEIGHT = 1 / (step + 1)      # read by `loss_fn` in losses.py
    loss = loss_fn(out, y)

Only what is sure counts: a global that is read by its name, and one that is bound anew, changed in
place or, where it is a generator of random numbers, drawn from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import libcst as cst

from ortwrap.engine.effects.mutation import changes_its_object
from ortwrap.engine.effects.run_by import Code, code_behind
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import defined_elsewhere, variable_elsewhere
from ortwrap.engine.text.nodes import descendants

# The file that binds a global, and its name there.
Global = tuple[str, str]

_GENERATORS = re.compile(
    r"^(?:numpy\.random\.(?:default_rng|RandomState|Generator)|random\.Random|torch\.Generator)$"
)


@dataclass
class Touched:
    """Globals that some code reads, and those that it changes."""

    reads: set[Global] = field(default_factory=set)
    changes: set[Global] = field(default_factory=set)


class StateElsewhere:
    """Answers for the code of one script.

    Args:
        bindings: its names.
        modules: its modules, of which forward is run.
    """

    def __init__(self, bindings: Bindings, modules: ModuleTable) -> None:
        self._bindings = bindings
        self._modules = modules
        self._known: dict[cst.CSTNode, Touched] = {}

    def conflict(self, node: cst.CSTNode, others: Iterable[cst.CSTNode]) -> str | None:
        """Why a statement has to stay on its side of others; None if it need not."""
        if self._bindings.elsewhere is None:
            return None
        own, theirs = self._touched(node), [self._touched(other) for other in others]
        for other in theirs:
            for _, name in sorted(own.changes & (other.reads | other.changes)):
                return f"it changes `{name}` of another file, which is read on the way to the loss"
            for _, name in sorted(own.reads & other.changes):
                return f"it reads `{name}` of another file, which changes on the way to the loss"
        return None

    def _touched(self, node: cst.CSTNode) -> Touched:
        if node not in self._known:
            self._known[node] = _Walk(self._bindings, self._modules).over(node)
        return self._known[node]


class _Walk:
    """Goes through a piece of code and all that it is known to call."""

    def __init__(self, bindings: Bindings, modules: ModuleTable) -> None:
        self._bindings, self._modules = bindings, modules
        self._touched = Touched()

    def over(self, node: cst.CSTNode) -> Touched:
        for code in code_behind(Code(node, self._bindings, self._modules)):
            for inner in descendants(code.node):
                if isinstance(inner, (cst.Name, cst.Attribute)):
                    self._note(inner, code.bindings)
        return self._touched

    def _note(self, node: cst.Name | cst.Attribute, bindings: Bindings) -> None:
        found = _global(node, bindings)
        if found is None:
            return
        parent = bindings.tree.parents.get(node)
        if _is_changed(node, bindings) or _is_drawn_from(found) or _changes_itself(parent, found):
            self._touched.changes.add(found.place)
        if not isinstance(parent, (cst.AssignTarget, cst.Del)):
            self._touched.reads.add(found.place)


@dataclass(frozen=True)
class _Found:
    """A global of another file, with what its file knows.

    Attributes:
        place: the global.
        bound: the places that bind it.
        bindings: the names of its file.
    """

    place: Global
    bound: tuple[cst.CSTNode, ...]
    bindings: Bindings

    def made(self) -> cst.Call | None:
        """The one call that gives its value."""
        units = [self.bindings.tree.unit_of(node).node for node in self.bound]
        value = units[0].value if len(units) == 1 and isinstance(units[0], cst.Assign) else None
        return value if isinstance(value, cst.Call) else None


def _global(node: cst.Name | cst.Attribute, bindings: Bindings) -> _Found | None:
    there = variable_elsewhere(node, bindings)
    if there is not None:
        return _Found((there.file.path, there.name), there.bound, there.file.bindings)
    if isinstance(node, cst.Attribute):
        return _of_class(node, bindings)
    owner = bindings.resolve(node)
    # Those of the script itself are looked after where its statements are.
    if owner is None or not owner.is_module or not bindings.path:
        return None
    bound = owner.names[node.value]
    if any(binding.kind != "variable" for binding in bound):
        return None
    return _Found((bindings.path, node.value), tuple(each.node for each in bound), bindings)


def _of_class(node: cst.Attribute, bindings: Bindings) -> _Found | None:
    """`Settings.temperature`, an attribute of a class that another file defines."""
    found = defined_elsewhere(node.value, bindings)
    if found is not None and isinstance(found.node, cst.ClassDef):
        name = f"{found.node.name.value}.{node.attr.value}"
        return _Found((found.file.path, name), (), found.file.bindings)
    here = bindings.definition(node.value) if bindings.path else None
    if not isinstance(here, cst.ClassDef):
        return None
    return _Found((bindings.path, f"{here.name.value}.{node.attr.value}"), (), bindings)


def _is_changed(node: cst.CSTNode, bindings: Bindings) -> bool:
    """It is bound anew or changed in place: `STATE["n"] = 1`, `STEP += 1`, `AUX.clear()`."""
    parents = bindings.tree.parents
    while True:
        parent = parents.get(node)
        if isinstance(parent, cst.Call) and parent.func is node:
            asked = not isinstance(parents.get(parent), cst.Expr)
            method = node.attr.value if isinstance(node, cst.Attribute) else ""
            return changes_its_object(method, asked=asked)
        if isinstance(parent, (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.Del)):
            return parent.target is node
        if not isinstance(parent, (cst.Attribute, cst.Subscript)) or parent.value is not node:
            return False
        node = parent


def _is_drawn_from(found: _Found) -> bool:
    made = found.made()
    return made is not None and bool(_GENERATORS.match(found.bindings.qualified(made.func) or ""))


def _changes_itself(method: cst.CSTNode | None, found: _Found) -> bool:
    """`METER.record(value)`, where the class of its file sets attributes in there."""
    made = found.made()
    home = None if made is None else found.bindings.definition(made.func)
    if not isinstance(home, cst.ClassDef) or not isinstance(method, cst.Attribute):
        return False
    for item in home.body.body:
        if isinstance(item, cst.FunctionDef) and item.name.value == method.attr.value:
            reader = EffectsReader(found.bindings, item)
            changed = reader.of(item.body).changes
            return any(place.startswith(f"{reader.instance}.") for place in changed)
    return False
