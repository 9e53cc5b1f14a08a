"""What forward takes: the values that the slice reads from outside of it."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.accessors import reads_with_effect
from ortwrap.engine.captures.batch_questions import name_for_question, reads_as_truth
from ortwrap.engine.captures.conditions import texts_of
from ortwrap.engine.captures.names import (
    RESERVED,
    ParameterNames,
    converted_by,
    name_for,
    name_for_result_of,
)
from ortwrap.engine.captures.outside import Outside
from ortwrap.engine.captures.parts import set_by_a_run
from ortwrap.engine.captures.randomness import draws_numbers
from ortwrap.engine.captures.walked import Guard, Walked
from ortwrap.engine.effects.statement import place_of, root_place
from ortwrap.engine.plan import CapturedInput
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants


class Inputs:
    """Gives forward a parameter for each value, and puts it where the slice computes the value.

    Args:
        analyses: of the step's function.
        found: the slice, whose names the parameters' must differ from.
        walked: the walk whose inputs these are.
        outside: tells what can be evaluated before the call.
    """

    def __init__(
        self, analyses: Analyses, found: LossSlice, walked: Walked, outside: Outside
    ) -> None:
        self._analyses = analyses
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._helpers = analyses.helpers
        self._reader = analyses.reader
        self._flow = analyses.flow
        self._objects = analyses.objects
        self._uses = analyses.uses
        self._names = ParameterNames(analyses, found)
        self._walked = walked
        self._outside = outside
        self._expressions: dict[str, str] = {}

    def take_place(self, place: str, node: cst.CSTNode) -> None:
        """The value of a name, or of an attribute of the instance.

        Raises:
            Refuse: it is the instance itself, or the model's run may fill it.
        """
        self._check_not_changed([place], node)
        self._walked.whole.add(place)
        if place == self._reader.instance:
            raise Refuse("OW107", node, name=place, why="is passed whole")
        self._walked.input_places.add(place)
        if "." in place:
            self.take_expression(cst.ensure_type(node, cst.Attribute))
            return
        self._walked.inputs.setdefault(place, CapturedInput(place, place))

    def take_name(self, place: str, node: cst.BaseExpression) -> None:
        """The same for a read of its own, which may go by another name in forward."""
        if place != self._reader.instance and self._means_another(place):
            self._walked.whole.add(place)
            self.take_expression(node)
        else:
            self.take_place(place, node)

    def _means_another(self, name: str) -> bool:
        """In forward the name is that of the wrapper, or of a part of what has it: `x[:size]`."""
        others = (captured for key, captured in self._walked.inputs.items() if key != name)
        return name in RESERVED or any(captured.name == name for captured in others)

    def take_expression(self, node: cst.BaseExpression) -> None:
        """The value that an expression has before the call, evaluated once if it has effects."""
        self._check_not_changed(self._reader.of(node).reads, node)
        text = self._guarded(node)
        drawn = draws_numbers(node, self._bindings) or reads_with_effect(node, self._bindings)
        drawn = drawn or bool(self._uses.changes(node, self._reader.instance))
        counted = self._changes_object(node)
        drawn = drawn or counted
        name = None if drawn else self._expressions.get(text)
        if name is None:
            used = {captured.name for captured in self._walked.inputs.values()}
            used |= {called.split(".")[-1] for called in self._walked.called}
            owner = None if drawn else root_place(node, self._reader.instance)
            wanted = name_for_result_of(node) if counted else self._name_for(node)
            used |= self._walked.defined
            name = self._names.of_local(node) or self._names.unique(
                wanted, owner, used, converted_by(node)
            )
            self._expressions[text] = name
            self._walked.inputs[name if drawn else text] = CapturedInput(name, text)
        self._walked.input_places |= set(self._reader.of(node).reads)
        self._walked.replacements[node] = cst.Name(name)

    def _name_for(self, node: cst.BaseExpression) -> str:
        asks = self._outside.asks_batch(node)
        return (name_for_question if asks else name_for)(node, self._bindings)

    def _guarded(self, node: cst.BaseExpression) -> str:
        """The source of an expression, for a branch that may not be taken with its condition."""
        asks = self._outside.asks_batch(node)
        text = reads_as_truth(node, self._bindings) if asks else self._tree.source(node)
        if text in self._walked.inputs or self._flow.is_data_of_module(node):
            return text
        if self._outside.is_only_asked(node):
            self._note_reads(node)
            return text
        if self._outside.can_be_asked(node):
            return text
        if self._outside.is_option(node) and not self._is_switched_on(node):
            self._note_owner(node)
            return text
        guards = [
            guard
            for guard in self._walked.guards
            if guard is not None and not self._is_read_either_way(node, guard)
        ]
        for guard in guards:
            self._walked.input_places |= set(self._reader.of(guard.test).reads)
        conditions = texts_of(guards, self._tree)
        return f"{text} if {' and '.join(conditions)} else None" if conditions else text

    def _is_switched_on(self, option: cst.BaseExpression) -> bool:
        """`cfg.aug.weight` under `if cfg.aug.enabled:`, which may be all that is set without it."""
        section = option.value if isinstance(option, cst.Attribute) else option
        if not isinstance(section, cst.Attribute) or place_of(section, self._reader.instance):
            return False
        tests = (guard.test for guard in self._walked.guards if guard is not None)
        return any(section.deep_equals(inner) for test in tests for inner in descendants(test))

    def _note_reads(self, node: cst.BaseExpression) -> None:
        for place, readers in self._reader.of(node).reads.items():
            self._walked.note_read(place, readers[0])

    def _note_owner(self, option: cst.BaseExpression) -> None:
        """`self.args` of `self.args.size`, without which no call could be made."""
        for place, readers in self._reader.of(option).reads.items():
            if "." in place:
                self._walked.note_read(place, readers[0])

    def _is_read_either_way(self, node: cst.BaseExpression, guard: Guard) -> bool:
        """The other branch reads the same, whatever it does besides."""
        choice = self._tree.parents.get(guard.test)
        if not isinstance(choice, cst.If) or not isinstance(choice.orelse, cst.Else):
            return False
        other = choice.orelse.body if guard.wanted else choice.body
        return any(
            node.deep_equals(inner)
            for statement in other.body
            if isinstance(statement, cst.SimpleStatementLine)
            for inner in descendants(statement)
        )

    def _changes_object(self, node: cst.BaseExpression) -> bool:
        """The same text twice is two calls: `buffer.push_and_pop(fake)`."""
        return any(
            isinstance(inner, cst.Call)
            and isinstance(inner.func, cst.Attribute)
            and self._objects.changes(inner.func) is not None
            for inner in descendants(node)
        )

    def _check_not_changed(self, places: Iterable[str], node: cst.CSTNode) -> None:
        """What hooks or forward fill or bind anew has to be read after the model ran."""
        if not self._walked.ran_module:
            return
        if not self._helpers.filled.names.isdisjoint(places):
            raise Refuse("OW211", node, name=self._tree.brief(node))
        changed = self._helpers.traces.read_in(node, self._reader)
        changed = changed or set_by_a_run(node, self._analyses)
        if changed is not None:
            raise Refuse("OW211", node, name=changed)
