"""Whether a module may keep a part of a run's graph for the next one: `self.hidden = hidden`.

All classes that building the module is known to use are looked through. One that sets attributes
while it runs keeps a graph, for all that is known here; of one that nothing is known of the runtime
finds out.
"""

from __future__ import annotations

import enum
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


class Keeping(enum.IntEnum):
    """What a run of a module leaves behind, the worst last."""

    NOTHING = 0
    UNKNOWN = 1
    A_GRAPH = 2


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

    def kept_by(self, module: cst.CSTNode) -> Keeping:
        """What a run of what a name or an attribute holds may leave in some attribute."""
        self._seen.clear()
        return self._of(module, self._here)

    def _of(self, module: cst.CSTNode, at: _Place) -> Keeping:
        """The worst of all that a place may hold."""
        if module in self._seen:
            return Keeping.NOTHING
        self._seen.add(module)
        values = at.modules.all_values(module) or ()
        return max((self._of_value(value, at) for value in values), default=Keeping.UNKNOWN)

    def _of_value(self, value: cst.BaseExpression, at: _Place) -> Keeping:
        if isinstance(value, (cst.Name, cst.Attribute)):
            return self._of(value, at)
        if not isinstance(value, cst.Call):
            return Keeping.UNKNOWN
        func = value.func
        if isinstance(func, cst.Attribute) and func.attr.value in SAME_MODULE:
            return self._of_value(func.value, at)
        given = [node for argument in value.args for node in descendants(argument.value)]
        return max(
            self._of_made(value, at),
            *(self._of_call(each, at) for each in given if isinstance(each, cst.Call)),
            *(
                self._of(node, at)
                for node in given
                if isinstance(node, (cst.Name, cst.Attribute)) and at.modules.is_trainable(node)
            ),
            Keeping.NOTHING,
        )

    def _of_made(self, call: cst.Call, at: _Place) -> Keeping:
        """By the class or the function that makes the object."""
        found = _defined(call, at)
        if found is None:
            qualified = at.bindings.qualified(call.func) or ""
            known = qualified in WRAPPERS or qualified.startswith(_KEEP_NOTHING)
            return Keeping.NOTHING if known else Keeping.UNKNOWN
        node, there = found
        if not isinstance(node, cst.FunctionDef):
            return self._of_defined(node, there)
        values = [self._of_value(value, there) for value in returned(node)]
        return max([*values, self._of_defined(node, there)]) if values else Keeping.UNKNOWN

    def _of_call(self, call: cst.Call, at: _Place) -> Keeping:
        """By what a call on the way to a module brings in."""
        found = _defined(call, at)
        if found is not None:
            return self._of_defined(*found)
        qualified = at.bindings.qualified(call.func)
        known = qualified in WRAPPERS or (qualified or "").startswith((*_KEEP_NOTHING, *_COMPUTE))
        return Keeping.NOTHING if qualified is None or known else Keeping.UNKNOWN

    def _of_calls(self, body: cst.CSTNode, at: _Place) -> Keeping:
        return max((self._of_call(call, at) for call in calls_in(body)), default=Keeping.NOTHING)

    def _of_defined(self, defined: cst.ClassDef | cst.FunctionDef, at: _Place) -> Keeping:
        if defined in self._seen:
            return Keeping.NOTHING
        self._seen.add(defined)
        if isinstance(defined, cst.FunctionDef):
            return self._of_calls(defined.body, at)
        lineage = Lineage(Ancestor(defined, at.bindings, at.file))
        known = all(library.startswith((*_BASES, *_KEEP_NOTHING)) for library in lineage.libraries)
        inherited = Keeping.NOTHING if known else Keeping.UNKNOWN
        return max([inherited, *(self._of_member(member, at) for member in lineage.members)])

    def _of_member(self, member: Ancestor, at: _Place) -> Keeping:
        building = _only_build(member.node, member.bindings)
        there = at if member.file is None else _Place.of(member.file)
        found = [Keeping.NOTHING]
        for method in _methods(member.node):
            if method.name.value in building:
                found.append(self._of_calls(method.body, there))
            elif _sets_something(method, member.bindings):
                found.append(Keeping.A_GRAPH)
        return max(found)


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
