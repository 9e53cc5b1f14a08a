"""From a slice to the plan of its step, or to one for each branch that the step consists of."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from ortwrap.engine.evidence.own_criteria import with_own_criteria
from ortwrap.engine.foresight.forecast import why_eager
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.helpers import Helpers
from ortwrap.engine.options import Options
from ortwrap.engine.plan import Plan
from ortwrap.engine.reasons.checks import check_step
from ortwrap.engine.reasons.retained import check_graph_is_spent
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.step_function import StepFunction
from ortwrap.engine.steps.branches import in_branches
from ortwrap.engine.steps.common_endings import common_endings
from ortwrap.engine.steps.constructed import with_constructed
from ortwrap.engine.steps.loss_names import LossNames
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.tree import Unit
from ortwrap.engine.writing.standalone import check_without_guards


class Planner:
    """Plans the steps of one script.

    Args:
        bindings: its names.
        helpers: what is known about its functions.
        names: what an unnamed loss is called.
        options: what the user chose.
    """

    def __init__(
        self, bindings: Bindings, helpers: Helpers, names: LossNames, options: Options
    ) -> None:
        self._tree = bindings.tree
        self._bindings = bindings
        self._helpers = helpers
        self._names = names
        self._options = options

    def plan(
        self, group: Sequence[Sink], found: LossSlice, function: StepFunction, theirs: set[Unit]
    ) -> tuple[Plan, ...]:
        """The plan of a step, or one for each branch of the `if` that it consists of.

        Args:
            group: what consumes the loss.
            found: what that is computed from.
            function: where the step stands.
            theirs: statements that other losses are computed from.

        Raises:
            Refuse: the step cannot be rewritten.
        """
        try:
            return (self._whole(group, found, function, theirs),)
        except Refuse as refusal:
            parts = in_branches(found, function.analyses, function.slicer)
            if parts and self._tree.line(found.units[0].node) in self._ends_alike:
                # With the notes behind it, the `if` may be one step.
                parts = ()
            with contextlib.suppress(Refuse):
                plans = [plan for p in parts for plan in self.plan(group, p, function, theirs)]
                if plans:
                    return tuple(plans)
            raise refusal from None

    @cached_property
    def _ends_alike(self) -> frozenset[int]:
        """The lines of each `if` whose branches end in the same note."""
        return frozenset(ending.line for ending in common_endings(self._tree, self._bindings))

    def _whole(
        self, group: Sequence[Sink], found: LossSlice, function: StepFunction, theirs: set[Unit]
    ) -> Plan:
        analyses = function.analyses
        check_step(group, found, analyses)
        found = replace(found, name=self._names.name_for(found))
        found = with_own_criteria(found, analyses)
        found, order, captures = function.arrange(found, theirs)
        check_graph_is_spent(group, found, captures, analyses, self._options)
        if not any(part.trainable for part in captures.parts):
            raise Refuse("OW101", loss=self._tree.brief(found.loss), unknown="")
        plan = Plan(
            sinks=tuple(group),
            found=found,
            order=order,
            captures=captures,
            loss_target=found.place or found.name,
        )
        if self._options.standalone:
            check_without_guards(plan, self._tree, self._bindings, self._helpers)
            cause = why_eager(plan, analyses)
            if cause is not None:
                raise Refuse("OW313", why=f"{cause} would be done once and for all")
        return with_constructed(plan, analyses)
