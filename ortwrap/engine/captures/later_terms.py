"""Whether what forward gives back may still become part of the loss.

A statement behind the call may put an output where the rest of the loss is found: into a list of
terms, an object that sums them up, a global. Such an output keeps its graph.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.statement import overlap, place_of, root_place
from ortwrap.engine.steps.order import Order
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Unit


class LaterTerms:
    """Follows a loss back from its sink to the call that computed it."""

    def __init__(self, analyses: Analyses) -> None:
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._reader = analyses.reader
        self._flow = analyses.flow
        self._objects = analyses.objects
        self._helpers = analyses.helpers
        self._aliases = analyses.aliases

    def may_hold(self, place: str, found: LossSlice, order: Order) -> bool:
        """A gradient of the loss may reach the place by what statements behind the call do."""
        needed = set(self._flow.reads(found.sink.loss))
        run = [found.sink.unit.node]
        for unit in reversed(list(self._behind_the_call(found, order))):
            changed = self._changed_by(unit, found)
            known_by_name = any(
                self._helpers.traces.is_read_by(run, name, unit.node) for name in changed
            )
            if not known_by_name and not overlap(changed, needed):
                continue
            taken = self._flow.reads(unit.node)
            if place in taken:
                return True
            needed |= taken
            run.append(unit.node)
        return False

    def _behind_the_call(self, found: LossSlice, order: Order) -> Iterator[Unit]:
        """The statements that run between the call and the sink, in their order."""
        sink = self._tree.span(found.sink.call).start
        last = found.pieces[-1]
        yield from (unit for unit in order.after if unit.index < last.index)
        current: Unit | None = last
        start = last.index + (not found.inline)
        while current is not None:
            for unit in current.block.units[start:]:
                if self._tree.span(unit.node).start >= sink or unit is found.sink.unit:
                    return
                yield unit
            current = self._tree.parent_unit(current)
            start = 0 if current is None else current.index + 1

    def _changed_by(self, unit: Unit, found: LossSlice) -> set[str]:
        """Places whose objects may hold something else after a statement."""
        hidden = self._helpers.callees.changes(unit.node, self._reader)
        handed = {self._root(text) for text in hidden.handed}
        if not found.open_places:
            # A loss that is known is a number, to which code of other files adds nothing.
            handed.discard(found.place or "")
        changed = self._reader.of(unit.node).changes | hidden.places | handed
        changed |= set(self._own_objects_changed_by(unit.node))
        return self._aliases.closure(changed)

    def _own_objects_changed_by(self, node: cst.CSTNode) -> Iterator[str]:
        """`tracker` in `tracker.record(output)`, `note` in `note(term)`, which may be a method."""
        for call in descendants(node):
            func = call.func if isinstance(call, cst.Call) else None
            if isinstance(func, cst.Attribute) and self._objects.changes(func) is not None:
                root = root_place(func.value, self._reader.instance)
                if root is not None:
                    yield root
            elif isinstance(func, cst.Name) and self._is_variable(func):
                yield func.value

    def _is_variable(self, name: cst.Name) -> bool:
        return any(binding.kind == "variable" for binding in self._bindings.lookup(name))

    def _root(self, chain: str) -> str:
        """The place of `self.bank.items`, as it is written."""
        node: cst.BaseExpression = cst.parse_expression(chain)
        while isinstance(node, cst.Attribute) and place_of(node, self._reader.instance) is None:
            node = node.value
        return place_of(node, self._reader.instance) or chain
