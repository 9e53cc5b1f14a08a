"""Whether a backward behind a step's own may go back through the graph of the step's values.

total += loss                     # on the graph still, but only shown
shown = (real + fake).item()      # a number
state = [s.detach() for s in state]
history["loss"] = loss            # whoever has the history may run backward
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.gradient_reads import GradientReads
from ortwrap.engine.effects.harmless import only_shows, only_uses
from ortwrap.engine.effects.statement import root_place
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import calls_in, descendants
from ortwrap.engine.text.tree import Unit

_FILLS = frozenset("append extend insert add".split())
_NO_VALUE = (cst.Del, cst.Assert, cst.Raise, cst.Pass, cst.Global, cst.Nonlocal)
_ASSIGNS = (cst.Assign, cst.AnnAssign, cst.AugAssign)
_NEW_CONTAINERS = (cst.List, cst.Dict, cst.Set, cst.ListComp, cst.DictComp)
_RENAMES = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp, cst.Lambda)
_RUN_WHAT_THEY_ARE_GIVEN = frozenset(["map", "filter"])
_RUN_CODE = ("torch.autograd", "torch.func", "functools.")
# What is made of a loss by a method of these names, nobody knows.
_OPEN_METHODS = frozenset("update step record".split())


class LaterBackwards:
    """Follows what a step computes through the function that it stands in."""

    def __init__(self, found: LossSlice, sinks: Sequence[Unit], analyses: Analyses) -> None:
        """
        Args:
            found: the step's slice.
            sinks: the statements that run its own backward, of which each run meets one.
            analyses: of its function.
        """
        self._found = found
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._aliases = analyses.aliases
        self._function = analyses.tree.enclosing(found.sink.call)
        self._own = self._units_of(found, sinks)
        self._reads = GradientReads(analyses.reader, analyses.flow)
        self._sinks = sinks
        self._live = analyses.liveness.of_reads(self._reads, sinks)
        of_sinks = GradientReads(analyses.reader, analyses.flow, [unit.node for unit in sinks])
        self._run_again = analyses.liveness.of_reads(of_sinks, ())
        self._read_by_next = self._live.exposed(found.units)

    def may_reach(self, places: Collection[str]) -> bool:
        """Whether one may go back through what the slice has left in some places."""
        if any(place in self._run_again.after(unit) for place in places for unit in self._sinks):
            # The next round may come to the backward, and not to what computes its loss.
            return True
        last = self._found.units[-1] if self._found.units else self._found.sink.unit
        pending = [(place, last) for place in places]
        followed: set[tuple[str, Unit]] = set()
        while pending:
            place, behind = pending.pop()
            if (place, behind) in followed or place not in self._live.after(behind):
                continue
            followed.add((place, behind))
            if place in self._live.escaping or place in self._read_by_next:
                return True
            for unit in self._readers(place):
                taken = self._taken_by(unit, place)
                if taken is None or any(p in self._run_again.after(unit) for p in taken):
                    return True
                pending += [(other, unit) for other in taken]
        return False

    def _units_of(self, found: LossSlice, sinks: Sequence[Unit]) -> set[Unit]:
        inside = {node for piece in found.pieces for node in descendants(piece.node)}
        return {unit for node, unit in self._tree.units.items() if node in inside} | set(sinks)

    def _readers(self, place: str) -> Iterator[Unit]:
        """The statements outside of the slice that read a place with its graph."""
        for node, unit in self._tree.units.items():
            if unit in self._own or self._tree.enclosing(node) is not self._function:
                continue
            small = isinstance(node, cst.BaseSmallStatement)
            effects = self._reads.of(node) if small else self._reads.header(node)
            if place in effects.reads:
                yield unit

    def _taken_by(self, unit: Unit, place: str) -> set[str] | None:
        """Places of the function that have the graph as well now; None where something else may."""
        node = unit.node
        if isinstance(node, _NO_VALUE):
            return set()
        if isinstance(node, cst.For) and self._only_computes(node.iter, place):
            return self._stored(node.target)
        if isinstance(node, _ASSIGNS):
            return self._assigned(node, place)
        call = node.value if isinstance(node, cst.Expr) else None
        if not isinstance(call, cst.Call):
            return None
        if only_shows(call.func, self._bindings):
            return set()
        func = call.func
        if isinstance(func, cst.Attribute) and func.attr.value in _FILLS:
            given = (argument.value for argument in call.args)
            if all(self._only_computes(value, place) for value in given):
                return self._filled(func.value)
        return set() if self._only_computes(call, place) else None

    def _assigned(
        self, node: cst.Assign | cst.AnnAssign | cst.AugAssign, place: str
    ) -> set[str] | None:
        if node.value is None or not self._only_computes(node.value, place):
            return None
        if isinstance(node, cst.AugAssign) and not self._is_own(node.target):
            # A tensor that the caller has as well would change in place.
            return None
        targets = (
            [target.target for target in node.targets]
            if isinstance(node, cst.Assign)
            else [node.target]
        )
        taken: set[str] = set()
        for target in targets:
            stored = self._stored(target)
            if stored is None:
                return None
            taken |= stored
        return taken

    def _is_own(self, target: cst.BaseExpression) -> bool:
        """What it may hold is no argument of the function, and in no attribute."""
        root = root_place(target, None)
        names = self._bindings.scope(self._function).names
        return root is not None and all(
            place in names and all(bound.kind == "variable" for bound in names[place])
            for place in self._aliases.closure({root})
        )

    def _stored(self, target: cst.BaseExpression) -> set[str] | None:
        if isinstance(target, (cst.Tuple, cst.List)):
            found = [self._stored(element.value) for element in target.elements]
            return None if None in found else set().union(*filter(None, found))
        if isinstance(target, cst.Subscript):
            return self._filled(target)
        return {target.value} if isinstance(target, cst.Name) else None

    def _filled(self, container: cst.BaseExpression) -> set[str] | None:
        """The names of a container that this function has made, or the slice."""
        while isinstance(container, cst.Subscript):
            container = container.value
        if not isinstance(container, cst.Name):
            return None
        names = self._aliases.closure({container.value})
        return names if all(self._is_of(name, names) for name in names) else None

    def _is_of(self, name: str, names: set[str]) -> bool:
        """Whatever a name may hold was made here, or taken out of what others of them hold."""
        bound = self._bindings.scope(self._function).names.get(name, [])
        return bool(bound) and all(
            self._tree.unit_of(binding.node) in self._own
            or self._is_value_of(self._bound_to(binding.node), names - {name})
            for binding in bound
        )

    def _is_value_of(self, value: cst.BaseExpression | None, names: set[str]) -> bool:
        return isinstance(value, _NEW_CONTAINERS) or (
            isinstance(value, cst.Subscript) and root_place(value, None) in names
        )

    def _bound_to(self, node: cst.CSTNode) -> cst.BaseExpression | None:
        parent = self._tree.parents[node]
        if isinstance(parent, cst.Element):
            return self._bindings.element_bound_to(node)
        assign = self._tree.parents[parent]
        return assign.value if isinstance(assign, cst.Assign) else None

    def _only_computes(self, value: cst.BaseExpression, place: str) -> bool:
        """No call in an expression that is given the graph keeps it or goes back through it."""
        inside = list(descendants(value))
        if any(isinstance(node, cst.NamedExpr) for node in inside):
            return False
        # What runs over the items of a place has other names for them.
        renames = any(isinstance(node, _RENAMES) for node in inside)
        return all(
            self._is_known(call, place)
            for call in calls_in(value)
            if renames or place in self._reads.of(call).reads
        )

    def _is_known(self, call: cst.Call, place: str) -> bool:
        func = call.func
        if isinstance(func, cst.Name) and func.value in _RUN_WHAT_THEY_ARE_GIVEN:
            return False
        if isinstance(func, cst.Attribute):
            of_graph = place in self._reads.of(func.value).reads
            if func.attr.value in _OPEN_METHODS or (func.attr.value in _FILLS and not of_graph):
                return False
        qualified = self._bindings.qualified(func) or ""
        return only_uses(func, self._bindings) and not qualified.startswith(_RUN_CODE)
