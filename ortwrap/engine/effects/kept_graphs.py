"""Whether a module may keep a part of a run's graph for the next one: `self.hidden = hidden`.

All classes that building the module is known to use are looked through. One that sets attributes
while it runs may keep a graph, and so may one that nothing is known of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.randomness import SAME_MODULE
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.factories import FACTORIES
from ortwrap.engine.evidence.kinds import WRAPPERS
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import OtherFile, defined_elsewhere
from ortwrap.engine.names.lineage import Ancestor, Lineage
from ortwrap.engine.names.made_elsewhere import returned
from ortwrap.engine.text.nodes import calls_in, descendants

# Libraries whose modules hand their state over as arguments and results.
_KEEP_NOTHING = ("torch.", *(f"{package}." for package in FACTORIES))
_BASES = ("torch.nn.", "abc.ABC", "object")
_COMPUTE = ("math.", "numpy.", "os.", "logging.", "warnings.")


@dataclass(frozen=True)
class _Place:
    """The file that an expression stands in."""

    bindings: Bindings
    modules: ModuleTable
    file: OtherFile | None = None

    @classmethod
    def of(cls, file: OtherFile) -> _Place:
        return cls(file.bindings, file.modules, file)


class KeptGraphs:
    """Answers for the modules of one script."""

    def __init__(self, bindings: Bindings, modules: ModuleTable) -> None:
        self._here = _Place(bindings, modules)
        # What has been looked at, or is being: classes refer to themselves.
        self._seen: set[cst.CSTNode] = set()

    def may_keep(self, module: cst.CSTNode) -> bool:
        """A run of what a name or an attribute holds may leave its graph in some attribute."""
        self._seen.clear()
        return not self._is_known(module, self._here)

    def _is_known(self, module: cst.CSTNode, at: _Place) -> bool:
        """All that a place may hold is known, and keeps nothing."""
        if module in self._seen:
            return True
        self._seen.add(module)
        values = at.modules.all_values(module)
        return bool(values) and all(self._gives_known(value, at) for value in values or ())

    def _gives_known(self, value: cst.BaseExpression, at: _Place) -> bool:
        if isinstance(value, (cst.Name, cst.Attribute)):
            return self._is_known(value, at)
        if not isinstance(value, cst.Call):
            return False
        func = value.func
        if isinstance(func, cst.Attribute) and func.attr.value in SAME_MODULE:
            return self._gives_known(func.value, at)
        given = [node for argument in value.args for node in descendants(argument.value)]
        return (
            self._makes_known(value, at)
            and all(self._is_harmless(each, at) for each in given if isinstance(each, cst.Call))
            and all(
                self._is_known(node, at)
                for node in given
                if isinstance(node, (cst.Name, cst.Attribute)) and at.modules.is_trainable(node)
            )
        )

    def _makes_known(self, call: cst.Call, at: _Place) -> bool:
        """A class or a function whose modules keep nothing makes the object."""
        found = _defined(call, at)
        if found is None:
            qualified = at.bindings.qualified(call.func) or ""
            return qualified in WRAPPERS or qualified.startswith(_KEEP_NOTHING)
        node, there = found
        if isinstance(node, cst.FunctionDef):
            values = list(returned(node))
            if not values or not all(self._gives_known(value, there) for value in values):
                return False
        return self._keeps_nothing(node, there)

    def _is_harmless(self, call: cst.Call, at: _Place) -> bool:
        """A call on the way to a module brings in nothing that may keep a graph."""
        found = _defined(call, at)
        if found is not None:
            return self._keeps_nothing(*found)
        qualified = at.bindings.qualified(call.func)
        known = qualified in WRAPPERS or (qualified or "").startswith((*_KEEP_NOTHING, *_COMPUTE))
        return qualified is None or known

    def _keeps_nothing(self, defined: cst.ClassDef | cst.FunctionDef, at: _Place) -> bool:
        if defined in self._seen:
            return True
        self._seen.add(defined)
        if isinstance(defined, cst.FunctionDef):
            return all(self._is_harmless(call, at) for call in calls_in(defined.body))
        lineage = Lineage(Ancestor(defined, at.bindings, at.file))
        if not all(library.startswith((*_BASES, *_KEEP_NOTHING)) for library in lineage.libraries):
            return False
        return all(self._leaves_no_trace(member, at) for member in lineage.members)

    def _leaves_no_trace(self, member: Ancestor, at: _Place) -> bool:
        building = _only_build(member.node, member.bindings)
        there = at if member.file is None else _Place.of(member.file)
        return all(
            all(self._is_harmless(call, there) for call in calls_in(method.body))
            if method.name.value in building
            else not _sets_something(method, member.bindings)
            for method in _methods(member.node)
        )


def _defined(call: cst.Call, at: _Place) -> tuple[cst.ClassDef | cst.FunctionDef, _Place] | None:
    """The class or function that a call names, wherever it stands."""
    here = at.bindings.definition(call.func)
    if isinstance(here, (cst.ClassDef, cst.FunctionDef)):
        return here, at
    found = defined_elsewhere(call.func, at.bindings)
    if found is None or found.file.is_being_read:
        return None
    return found.node, _Place.of(found.file)


def _sets_something(method: cst.FunctionDef, bindings: Bindings) -> bool:
    """A method sets an attribute, or a global."""
    reader = EffectsReader(bindings, method)
    changes = reader.of(method.body).changes
    own = any(place.startswith(f"{reader.instance}.") for place in changes)
    return own or bool(bindings.scope(method).declared_global & changes)


def _only_build(home: cst.ClassDef, bindings: Bindings) -> set[str]:
    """`__init__`, and methods that no other method of the class calls."""
    called: dict[str, set[str]] = {}
    for method in _methods(home):
        reader = EffectsReader(bindings, method)
        for place in reader.of(method.body).reads:
            if place.startswith(f"{reader.instance}."):
                called.setdefault(place.split(".")[1], set()).add(method.name.value)
    building = {"__init__"}
    while True:
        more = {
            method.name.value
            for method in _methods(home)
            if method.name.value in called and called[method.name.value] <= building
        }
        if more <= building:
            return building
        building |= more


def _methods(home: cst.ClassDef) -> Iterator[cst.FunctionDef]:
    return (item for item in home.body.body if isinstance(item, cst.FunctionDef))
