"""The function or script that a step stands in: its analyses, and how they arrange a step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.finder import CaptureFinder
from ortwrap.engine.captures.picks import still_whole, with_picks
from ortwrap.engine.captures.starting_values import with_starting_values
from ortwrap.engine.effects.aliases import Aliases
from ortwrap.engine.effects.gradients import GradientFlow
from ortwrap.engine.effects.liveness import Liveness
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.effects.uses import Uses
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.objects import Objects
from ortwrap.engine.evidence.optimizers import Optimizers
from ortwrap.engine.evidence.own_functions import with_own_functions
from ortwrap.engine.evidence.shared_objects import SharedObjects
from ortwrap.engine.evidence.trained_by_option import behind_options
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.helpers import Helpers
from ortwrap.engine.plan import Captures
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.absorbing import absorb
from ortwrap.engine.steps.cutting import cut
from ortwrap.engine.steps.none_checks import with_none_checks
from ortwrap.engine.steps.order import Order, Orderer
from ortwrap.engine.steps.rounds import Rounds
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice, Slicer
from ortwrap.engine.text.tree import SourceTree, Unit


class StepFunction:
    """The analyses of one function, made when its first sink is met."""

    def __init__(
        self,
        tree: SourceTree,
        bindings: Bindings,
        modules: ModuleTable,
        helpers: Helpers,
        node: cst.CSTNode,
        sinks: Sequence[Sink],
    ) -> None:
        steps = (sink.call for sink in sinks if tree.enclosing(sink.call) is node)
        if any(map(tree.is_in_a_loop, steps)):
            helpers = helpers.between_steps_of(node)
        self.analyses = _analyses_of(node, tree, bindings, modules, helpers)
        self.slicer = Slicer(self.analyses, sinks)
        self.orderer = Orderer(self.analyses, self.slicer)
        self.captures = CaptureFinder(self.analyses)
        self.rounds = Rounds(self.analyses, self.slicer)

    def arrange(self, found: LossSlice, theirs: set[Unit]) -> tuple[LossSlice, Order, Captures]:
        """Where the call stands and what passes through it.

        What can neither be moved past nor left behind goes into forward as well, unless it belongs
        to another loss. Where it cannot, it may still be the run of another module, or what comes
        after it stays outside, or the encoders before it that are trained by option.

        Raises:
            Refuse: something stands in the way.
        """
        try:
            return self._whole(found, theirs)
        except Refuse as refusal:
            behind = behind_options(found, self.slicer, self.analyses.flow)
            for part in filter(None, (cut(found, refusal, self.analyses), behind)):
                with suppress(Refuse):
                    return self.arrange(part, theirs)
            raise refusal from None

    def _whole(self, found: LossSlice, theirs: set[Unit]) -> tuple[LossSlice, Order, Captures]:
        for widen in (with_own_functions, with_none_checks, with_starting_values):
            wider = widen(found, theirs, self.analyses)
            if wider is not None:
                with suppress(Refuse):
                    return self._whole(wider, theirs)
        try:
            order = self.orderer.order(found)
        except Refuse as refusal:
            unit = self._in_the_way(refusal, found, theirs)
            wider = absorb(found, unit, self.analyses) if unit is not None else None
            if unit is not None and wider is not None:
                try:
                    return self.arrange(wider, theirs)
                except Refuse as within:
                    if self.orderer.only_binds_unread(unit):
                        # It may as well go into forward: something else is in the way.
                        refusal = within
            try:
                order = self.orderer.order(found, past_modules=True)
            except Refuse:
                with suppress(Refuse):
                    wider = None if unit is None else self._with_preparation(found, unit, theirs)
                    if wider is not None:
                        return self.arrange(wider, theirs)
                raise refusal from None
        captures = self.captures.find(found, order)
        with suppress(Refuse):
            wider = with_picks(found, order, captures, theirs, self.analyses)
            if wider is not None:
                around = self.orderer.order(wider)
                picked = self.captures.find(wider, around)
                if not still_whole(captures, picked):
                    return wider, around, picked
        return found, order, captures

    def _in_the_way(self, refusal: Refuse, found: LossSlice, theirs: set[Unit]) -> Unit | None:
        """The statement between that a refusal speaks of, unless it belongs to some loss."""
        unit = self.analyses.tree.units.get(refusal.node) if refusal.node is not None else None
        return None if unit in theirs or unit in found.units else unit

    def _with_preparation(
        self, found: LossSlice, reader: Unit, theirs: set[Unit]
    ) -> LossSlice | None:
        """The slice with what prepares its inputs behind a reader of what the model returned.

        The loss can then be computed before that reader runs.
        """
        wider: LossSlice | None = found
        behind = [unit for unit in found.preparation if unit.index > reader.index]
        for unit in behind:
            if wider is None or unit in theirs:
                return None
            wider = absorb(wider, unit, self.analyses)
        return wider if behind else None


class StepFunctions:
    """The functions that the steps of one script stand in.

    Args:
        tree: the script.
        bindings: its names.
        modules: its modules.
        helpers: what is known about its functions.
    """

    def __init__(
        self, tree: SourceTree, bindings: Bindings, modules: ModuleTable, helpers: Helpers
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._helpers = helpers
        self._known: dict[tuple[cst.CSTNode, tuple[Sink, ...]], StepFunction] = {}

    def of(self, sink: Sink, sinks: Iterable[Sink]) -> StepFunction:
        """The function that a sink stands in, as a function of these sinks."""
        node = self._tree.enclosing(sink.call)
        inside = tuple(other for other in sinks if self._tree.holds(node, other.call))
        if (node, inside) not in self._known:
            self._known[node, inside] = StepFunction(
                self._tree, self._bindings, self._modules, self._helpers, node, inside
            )
        return self._known[node, inside]


def _analyses_of(
    node: cst.CSTNode,
    tree: SourceTree,
    bindings: Bindings,
    modules: ModuleTable,
    helpers: Helpers,
) -> Analyses:
    """What is known about a function, or about the script."""
    reader = EffectsReader(bindings, node)
    objects = Objects(tree, bindings, modules)
    ties = SharedObjects(bindings, modules).ties(node, reader)
    return Analyses(
        tree=tree,
        bindings=bindings,
        modules=modules,
        helpers=helpers,
        reader=reader,
        flow=GradientFlow(bindings, modules, reader, helpers),
        liveness=Liveness(tree, reader, node, helpers.callees),
        optimizers=Optimizers(tree, modules),
        objects=objects,
        uses=Uses(bindings, modules, objects),
        aliases=Aliases(reader, node, ties, objects),
    )
