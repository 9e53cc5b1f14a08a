"""Where a wrapper is made: once before the loops, and again when its modules are rebuilt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.liveness import surely_binds
from ortwrap.engine.effects.statement import EffectsReader, instance_name
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.plan import Part, Plan
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree, Unit
from ortwrap.engine.writing.closures import definition_behind


@dataclass(frozen=True, eq=False)
class WrapSite:
    """The statement before which the wrapper is made."""

    before: Unit


def find_site(plan: Plan, tree: SourceTree, bindings: Bindings, reader: EffectsReader) -> WrapSite:
    """The outermost place at which every part of the wrapper is known.

    `ort_module` keeps one wrapper per set of modules, so that a site that runs once an epoch
    still exports once.
    """
    parts = plan.captures.parts
    anchor = plan.order.anchor
    start = plan.found.block.units[min(anchor.index, len(plan.found.block.units) - 1)]
    if any(part.of_object for part in parts):
        # `runner.model` may be another one at each step: a property, what some callback gave.
        return WrapSite(start)
    search = _Search(parts, tree, bindings)
    function = tree.enclosing(start.node)
    while search.stays_all_through(function, reader):
        # A loss that is returned is lifted in a function that its caller is looked through for.
        returned = not isinstance(plan.sinks[0].call, cst.Call)
        unit = None if returned else search.definition_behind(function)
        if unit is None:
            return WrapSite(_after_docstring(tree.blocks(function)[0].units))
        start, function = unit, tree.enclosing(unit.node)
        reader = EffectsReader(bindings, function)
    return WrapSite(search.before_the_loops(start, reader))


class _Search:
    """Looks around a statement for places at which the parts of a wrapper are known."""

    def __init__(self, parts: Sequence[Part], tree: SourceTree, bindings: Bindings) -> None:
        self._tree = tree
        self._bindings = bindings
        self._parts = parts
        self._places = {part.place for part in parts}
        # `models["g"]` is another module where `models` is, and where something is put into it.
        self._lists = {place for part in parts for place in part.found_by}
        self._rebinders = _Rebinders(tree, bindings, self._places, self._lists)

    def stays_all_through(self, function: cst.CSTNode, reader: EffectsReader) -> bool:
        """What runs in a function leaves the parts what they were when it began."""
        if not isinstance(function, cst.FunctionDef):
            return False
        return not self._may_change(function.body, reader)

    def definition_behind(self, function: cst.CSTNode) -> Unit | None:
        """The `def` before which all parts are known, where another function defines this one."""
        if any(part.found_by or part.spread for part in self._parts):
            return None
        unit = definition_behind(function, self._places, self._tree, self._bindings)
        around = None if unit is None else self._tree.enclosing(unit.node)
        if around is not None and any("." in place for place in self._places):
            reader = EffectsReader(self._bindings, around)
            return unit if self.stays_all_through(around, reader) else None
        return unit

    def before_the_loops(self, start: Unit, reader: EffectsReader) -> Unit:
        """The outermost loop around a statement in which no part becomes another."""
        tree = self._tree
        best = inner = start
        current = tree.parent_unit(start)
        while current is not None:
            if self._may_change(current.node, reader):
                lists_stay = self._lists.isdisjoint(reader.of(current.node).changes)
                stays = lists_stay and not self._rebinders.called_in(current.node)
                known = stays and _is_known_before(inner, current, self._places, reader, tree)
                return inner if best is start and known else best
            if isinstance(current.node, (cst.For, cst.While)):
                best = current
            inner, current = current, tree.parent_unit(current)
        return best

    def _may_change(self, node: cst.CSTNode, reader: EffectsReader) -> bool:
        effects = reader.of(node)
        changed = effects.writes & self._places or effects.changes & self._lists
        return bool(changed) or self._rebinders.called_in(node)


def _is_known_before(
    branch: Unit, loop: Unit, places: set[str], reader: EffectsReader, tree: SourceTree
) -> bool:
    """`if use_amp:` of a round, above which the round has bound all that is another in each."""
    if not isinstance(branch.node, (cst.If, cst.With)) or not isinstance(loop.node, cst.For):
        return False
    asked = (node.test for node in descendants(branch.node) if isinstance(node, cst.If))
    if any(places & reader.of(test).reads.keys() for test in asked):
        return False
    above = branch.block.units[: branch.index]
    bound = set(reader.header(loop.node).writes)
    bound.update(*(surely_binds(unit, tree, reader) for unit in above))
    return places & reader.of(loop.node).writes <= bound


def find_start(plan: Plan, tree: SourceTree, reader: EffectsReader) -> Unit:
    """The statement before which names start as None: no path has bound them there."""
    function = tree.enclosing(plan.found.block.units[0].node)
    names = set(plan.captures.unbound)
    units = tree.blocks(function)[0].units
    return next(unit for unit in units if reader.of(unit.node).writes & names)


class _Rebinders:
    """Functions of this file that give a part's place another object, directly or by a call."""

    def __init__(
        self, tree: SourceTree, bindings: Bindings, places: set[str], lists: set[str]
    ) -> None:
        self._tree = tree
        plain = {place for place in places | lists if "." not in place}
        attributes = {place.split(".", 1)[1] for place in places | lists if "." in place}
        self._names: set[str] = set()
        self.foreign = False
        setting = set(self._setting(attributes, bindings)) if attributes else set()
        for function in tree.functions:
            if _only_builds(function):
                continue
            reader = EffectsReader(bindings, function)
            scope = bindings.scope(function)
            effects = reader.of(function.body)
            writes = effects.writes
            outer = plain & (scope.declared_global | scope.declared_nonlocal) & writes
            outer |= (lists & effects.mutates) - set(scope.names)
            own = {f"{reader.instance}.{name}" for name in attributes} & writes
            own |= lists & effects.mutates
            if outer or own or function in setting:
                self._names.add(function.name.value)
        self._spread()

    def _setting(self, attributes: set[str], bindings: Bindings) -> Iterator[cst.CSTNode]:
        """Functions with `trainer.model = ...` or `setattr(self, "model", ...)`."""
        for node in self._tree.assignments:
            for target in node.targets if isinstance(node, cst.Assign) else ():
                place, function = target.target, self._tree.enclosing(node)
                if isinstance(place, cst.Attribute) and place.attr.value in attributes:
                    yield function
                    instance, owner = instance_name(function, bindings), place.value
                    own = isinstance(owner, cst.Name) and owner.value == instance
                    self.foreign = self.foreign or not (own or _only_builds(function))
        for call in self._tree.calls:
            if self._tree.code(call.func) == "setattr":
                names = {self._tree.code(argument.value).strip("\"'") for argument in call.args}
                if names & attributes:
                    yield self._tree.enclosing(call)

    def _spread(self) -> None:
        before = -1
        while self._names and before != len(self._names):
            before = len(self._names)
            for function in self._tree.functions:
                if self.called_in(function.body):
                    self._names.add(function.name.value)

    def called_in(self, node: cst.CSTNode) -> bool:
        """A call inside `node` may run one of them."""
        if self.foreign:
            # Some code sets the attribute from outside of the class: any call may.
            return True
        if not self._names:
            return False
        span = self._tree.span(node)
        return any(
            span.start <= self._tree.span(call).start < span.end
            and self._tree.code(call.func).split(".")[-1] in self._names
            for call in self._tree.calls
        )


def _only_builds(function: cst.CSTNode) -> bool:
    """The script or a constructor, where parts get their first object and no other."""
    return not isinstance(function, cst.FunctionDef) or function.name.value == "__init__"


def _after_docstring(units: list[Unit]) -> Unit:
    first = units[0].node
    is_docstring = isinstance(first, cst.Expr) and isinstance(
        first.value, (cst.SimpleString, cst.ConcatenatedString)
    )
    rest = units[1:] if is_docstring else units
    for unit in rest:
        # `global model` has to come before the name is used.
        if not isinstance(unit.node, (cst.Global, cst.Nonlocal)):
            return unit
    return units[-1]
