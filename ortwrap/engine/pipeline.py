"""Source -> sinks -> slices -> plans or refusals -> patched text."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.foresight.forecast import why_eager
from ortwrap.engine.left_alone import LeftAlone
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import Elsewhere
from ortwrap.engine.names.helpers import Helpers
from ortwrap.engine.names.taken import TakenNames
from ortwrap.engine.options import Options
from ortwrap.engine.plan import Plan
from ortwrap.engine.planner import Planner
from ortwrap.engine.reasons.shared import grouped, upstream_of, why_shared, without_shared
from ortwrap.engine.reasons.shared_graph import SharedGraph
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.result import Change, InvalidSource, Result, Step
from ortwrap.engine.rows import Rows
from ortwrap.engine.step_function import StepFunctions
from ortwrap.engine.steps.consumers import ConsumerCheck
from ortwrap.engine.steps.existing import ExistingUses
from ortwrap.engine.steps.loss_names import LossNames
from ortwrap.engine.steps.loss_takers import LossTakers
from ortwrap.engine.steps.relocating import Relocation
from ortwrap.engine.steps.returned import ReturnedLosses
from ortwrap.engine.steps.sinks import Sink, SinkFinder
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.steps.unfound_bases import steps_of_unfound_bases
from ortwrap.engine.text.safety import Unsafe, check_compiles, misplaced, unresolved_names
from ortwrap.engine.text.tree import SourceTree, Unit
from ortwrap.engine.text.untouched import changed_line, hidden_name
from ortwrap.engine.writing.emit import Emitter


class Rewrite:
    """One pass over a script.

    Args:
        tree: the script.
        options: what the user chose.
        elsewhere: the other files of the project; None where none may be read.
        left: positions among the sinks of those left alone, instead of `options.leave`, whose
            lines are those of the script before it was patched.
        emptied: lines to take out, of which an earlier pass has moved the statements.
    """

    def __init__(
        self,
        tree: SourceTree,
        options: Options,
        elsewhere: Elsewhere | None = None,
        left: Sequence[int] | None = None,
        emptied: Sequence[int] = (),
    ) -> None:
        self._tree = self.tree = tree
        self._options = options
        self._emptied = emptied
        self._bindings = self.bindings = Bindings(tree, elsewhere)
        self._modules = self.modules = ModuleTable(tree, self._bindings, options.wrappers)
        self._rows = Rows(tree, self._bindings, self._modules)
        self._helpers = self.helpers = Helpers(tree, self._bindings, self._modules)
        self._existing = ExistingUses(tree, self._bindings, self._modules)
        takers = LossTakers(self._bindings, self._modules, self._existing.wrappers)
        self._finder = SinkFinder(tree, self._bindings, self._modules, takers, options.sinks)
        self._left_alone = LeftAlone(tree, self._rows)
        returned = ReturnedLosses(tree, self._bindings, self._modules, self._helpers)
        self._relocation = Relocation(tree, self._bindings, self._modules, self._helpers, returned)
        sinks = returned.beside(self._finder.find())
        unfound = steps_of_unfound_bases(self._bindings, self._modules.classes, sinks)
        sinks += unfound
        self._consumers = ConsumerCheck(tree, self._bindings, self._finder.helpers, unfound)
        self._functions = StepFunctions(tree, self._bindings, self._modules, self._helpers)
        self.taken = TakenNames(self._bindings)
        names = LossNames(tree, self.taken)
        self._planner = Planner(self._bindings, self._helpers, names, options)
        # What losses go back through that no step of this pass lifts.
        self._upstream: set[Unit] = set()
        self._sinks = self._in_order(sinks)
        self._sinks = self._in_order(self._relocated(self._sinks))
        if left is None:
            lines = [tree.line(sink.call) for sink in self._sinks]
            left = [index for index, line in enumerate(lines) if line in options.leave]
        self.left = tuple(left)
        asked = (self._sinks[index] for index in left if index < len(self._sinks))
        self._left_alone.asked = frozenset(asked)
        self._slices: dict[Sink, LossSlice] = {}
        self._plans: tuple[Plan, ...] = ()

    def run(self) -> Result:
        rows: dict[Sink, Step] = {}
        shared = self._slice_all(rows)
        for sink, found in list(self._slices.items()):
            others = (self._slices[other] for other in self._slices if other is not sink)
            upstream = self._upstream.union(*(other.upstream for other in others))
            slicer = self._functions.of(sink, self._sinks).slicer
            self._slices[sink] = without_shared(found, upstream, slicer)
        groups = grouped(self._slices, self._tree)
        skipped = self._left_alone.rows(groups, self._slices)
        shared += [
            SharedGraph(units, self._tree)
            for units in (self._slices[group[0]].units for group in groups if group[0] in skipped)
            if units
        ]
        self._refuse_shared(groups, rows)
        for graph in shared:
            for group in groups:
                if set(self._slices[group[0]].units) & set(graph.units):
                    rows.update({sink: self._rows.refused(sink, graph) for sink in group})
        rows.update(skipped)
        self._upstream.update(*(graph.units for graph in shared))
        planned = self._plan_all(groups, rows)
        self._plans = tuple(plan for plans in planned.values() for plan in plans)
        text, changes = self._emit(planned, rows)
        firsts = [group[0] for group in groups]
        steps = tuple(
            replace(rows[sink], evidence=self._rows.evidence(sink, self._slices.get(sink)))
            for sink in self._sinks
            if sink in rows and (sink not in self._slices or sink in firsts)
        )
        unused = self._left_alone.unused_skips(self._sinks, self._slices)
        return Result(self._tree.text, text, steps, unused, changes)

    def _slice_all(self, rows: dict[Sink, Step]) -> list[SharedGraph]:
        """Slice every sink that can be, give the others a row, and tell which graphs those use."""
        shared: list[SharedGraph] = []
        for sink in self._sinks:
            try:
                slicer = self._functions.of(sink, self._sinks).slicer
                if self._existing.is_rewritten(sink):
                    rows[sink] = self._rows.row(sink, "skipped", "already goes through ortwrap")
                    self._upstream |= upstream_of(sink, slicer)
                    continue
                if self._left_alone.row(sink) is None:
                    self._consumers.check(sink)
                found = slicer.slice(sink)
                if self._existing.is_inside_ort(found):
                    why = "`ORTModule` computes this loss already"
                    rows[sink] = self._rows.row(sink, "skipped", why)
                    continue
                self._slices[sink] = found
            except Refuse as refusal:
                skip = self._left_alone.row(sink)
                rows[sink] = skip if skip is not None else self._rows.refused(sink, refusal)
                if isinstance(refusal, SharedGraph):
                    shared.append(refusal)
                else:
                    shared += self._graph_of(sink, self._sinks)
        return shared

    def _plan_all(
        self, groups: list[list[Sink]], rows: dict[Sink, Step]
    ) -> dict[Sink, tuple[Plan, ...]]:
        """The plans of each group that has no row yet, by its first sink; the others get a row."""
        planned: dict[Sink, tuple[Plan, ...]] = {}
        for group in groups:
            if group[0] in rows:
                continue
            try:
                found = self._slices[group[0]]
                planned[group[0]] = self._plan(group, found, self._slices, self._sinks)
            except Refuse as refusal:
                rows.update({sink: self._rows.refused(sink, refusal) for sink in group})
        return planned

    def _emit(
        self, planned: dict[Sink, tuple[Plan, ...]], rows: dict[Sink, Step]
    ) -> tuple[str, tuple[Change, ...]]:
        """The patched text, and a row for each step in it."""
        if not planned:
            return self._tree.text, ()
        emitter = Emitter(
            self._tree, self._bindings, self._modules, self._helpers, self.taken, self._options
        )
        emitted = emitter.emit(list(self._plans), self._emptied)
        class_of = dict(zip(self._plans, emitted.class_names))
        for sink, plans in planned.items():
            names = dict.fromkeys(class_of[plan] for plan in plans)
            moved = "forward and loss of each branch" if len(plans) > 1 else "forward and loss"
            message = f"{moved} moved into {' and '.join(f'`{name}`' for name in names)}"
            row = self._rows.row(sink, "rewritten", message)
            analyses = self._functions.of(sink, self._sinks).analyses
            causes = filter(None, (why_eager(plan, analyses) for plan in plans))
            told = (f"It will train eagerly, for no graph can hold this: {why}" for why in causes)
            rows[sink] = replace(row, class_name=next(iter(names)), advice=next(told, ""))
        return emitted.text, emitted.changes

    def again(self, result: Result, lines: Sequence[int] = ()) -> Rewrite:
        """The pass over the patched text, once that is known to hold what was planned.

        Args:
            result: of this pass.
            lines: which line of the script each line of the patched text is.

        Raises:
            Unsafe: the patched text must not be shown.
        """
        if misplaced(self._tree):
            raise Unsafe("the parser gives positions that do not fit the text")
        check_compiles(result.text, self._tree.text)
        try:
            patched = SourceTree(result.text, [self._tree.told(line) for line in lines])
        except InvalidSource as error:
            raise Unsafe(f"it does not parse: {error.message} at line {error.line}") from error
        line = changed_line(self._tree, self._plans, result.text)
        if line is not None:
            raise Unsafe(f"line {line} is no part of a step and would change")
        second = Rewrite(patched, self._options, self._bindings.elsewhere, self.left)
        unknown = unresolved_names(second.taken) - unresolved_names(self.taken)
        if unknown:
            raise Unsafe(f"nothing defines `{min(unknown)}`")
        hidden = hidden_name(self._tree, self._bindings, second.bindings)
        if hidden is not None:
            raise Unsafe(f"`{hidden}` would mean something else")
        return second

    def replaces(self, line: int) -> bool:
        """The statement of a line has moved into forward."""
        units = (unit for plan in self._plans for unit in plan.found.units)
        return any(self._tree.line(unit.node) == line for unit in units)

    def sliced(self, line: int) -> Iterator[tuple[tuple[Unit, ...], Analyses]]:
        """The statements that the losses of a line are computed from, as far as they are known."""
        for sink, found in self._slices.items():
            if self._tree.line(sink.call) == line:
                yield found.units, self._functions.of(sink, self._sinks).analyses

    # -- where each loss is lifted ---------------------------------------------------------------

    def _in_order(self, sinks: Iterable[Sink]) -> list[Sink]:
        return sorted(sinks, key=lambda sink: self._tree.span(sink.call).start)

    def _relocated(self, sinks: list[Sink]) -> list[Sink]:
        """The sinks, each at the place where its loss can be lifted.

        One that can be where it is stays; so do all if two meet, or if a function that one went to
        is run by what another lifts.
        """
        moved = {sink: self._elsewhere(sink, sinks) for sink in sinks}
        there: dict[cst.CSTNode, Sink] = {}
        for sink in (other for others in moved.values() for other in others):
            known = there.setdefault(sink.call, sink)
            if known.loss is not sink.loss:
                return sinks
        functions: set[cst.CSTNode] = {self._tree.enclosing(call) for call in there}
        staying = [sink for sink in sinks if not moved[sink]]
        for sink in staying if functions else ():
            with contextlib.suppress(Refuse):
                found = self._functions.of(sink, sinks).slicer.slice(sink)
                if any(self._relocation.calls_any(p.node, functions) for p in found.pieces):
                    return sinks
        return [*staying, *there.values()]

    def _elsewhere(self, sink: Sink, sinks: list[Sink]) -> list[Sink]:
        """Where else the loss of a sink can be lifted, if it cannot be where it is or not well."""
        if self._left_alone.row(sink) is not None or self._existing.is_rewritten(sink):
            return []
        found: LossSlice | None = None
        rounds = self._functions.of(sink, sinks).rounds
        try:
            self._consumers.check(sink)
            found = self._functions.of(sink, sinks).slicer.slice(sink)
            others = self._relocation.behind_helper(found) or rounds.added(found, sinks)
        except Refuse as refusal:
            if refusal.page.code != "OW101":
                return []
            others = self._relocation.in_other_method(sink)
        rewritten = [other for other in others if self._existing.is_rewritten(other)]
        if rewritten or not others:
            return rewritten
        better = any(map(rounds.prefers, others))
        if found is not None and not better and self._why_not(sink, sinks) is None:
            return []
        reasons = {other: self._why_not(other, [*sinks, other]) for other in others}
        # What returns no model's loss is left alone.
        if set(reasons.values()) - {None, "OW101"}:
            return []
        return [other for other, reason in reasons.items() if reason is None]

    def _why_not(self, sink: Sink, sinks: list[Sink]) -> str | None:
        """The code for which a sink by itself would be refused; None if it would not be."""
        try:
            found = self._functions.of(sink, sinks).slicer.slice(sink)
            self._plan([sink], found, {sink: found}, sinks)
        except Refuse as refusal:
            # A step that wants guards wants them wherever it is lifted.
            return None if refusal.page.code == "OW313" else refusal.page.code
        return None

    # -- analysis ----------------------------------------------------------------------------------

    def _graph_of(self, sink: Sink, sinks: list[Sink]) -> list[SharedGraph]:
        """The graph that a refused sink consumes, so that no other step lifts a part of it."""
        try:
            units = self._functions.of(sink, sinks).slicer.slice(sink).units
        except Refuse:
            return []
        return [SharedGraph(units, self._tree)] if units else []

    def _refuse_shared(self, groups: list[list[Sink]], rows: dict[Sink, Step]) -> None:
        """A statement that two losses go back through stands for a graph with two backwards."""
        for group in groups:
            mine = self._slices[group[0]]
            for other in groups:
                if other is group:
                    continue
                analyses = self._functions.of(other[0], self._sinks).analyses
                refusal = why_shared(mine, self._slices[other[0]], analyses)
                if refusal is not None:
                    for sink in (*group, *other):
                        rows[sink] = self._rows.refused(sink, refusal)

    def _plan(
        self, group: list[Sink], found: LossSlice, slices: dict[Sink, LossSlice], sinks: list[Sink]
    ) -> tuple[Plan, ...]:
        """The plan of a step among others, or one for each of its branches."""
        others = [slice_ for other, slice_ in slices.items() if other not in group]
        theirs = self._upstream.union(
            *((*other.units, *other.preparation, *other.upstream) for other in others)
        )
        return self._planner.plan(group, found, self._functions.of(group[0], sinks), theirs)
