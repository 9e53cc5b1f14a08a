"""A loss that a loop adds up, one model run a round: what each round adds is a loss by itself.

Lifted whole, the loop would be unrolled into a graph for each number of rounds, and what a round
reads from a data set would be read inside of forward. Lifted round by round, one graph serves all.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects import overlap, place_of
from ortwrap.engine.nodes import descendants
from ortwrap.engine.sinks import Sink
from ortwrap.engine.slices import LossSlice, Slicer
from ortwrap.engine.tree import Unit


class Rounds:
    """Finds what each round of a loop adds to the loss.

    Args:
        analyses: of the function that the loop stands in.
        slicer: follows gradients there.
    """

    def __init__(self, analyses: Analyses, slicer: Slicer) -> None:
        self._tree = analyses.tree
        self._reader = analyses.reader
        self._flow = analyses.flow
        self._slicer = slicer

    def added(self, found: LossSlice, sinks: list[Sink]) -> list[Sink]:
        """What each round adds, where rounds hang together by nothing else.

        Args:
            found: the loss of the whole loop.
            sinks: those of the script; another one in this function may want the same graph.
        """
        function = self._tree.enclosing(found.sink.call)
        here = [sink for sink in sinks if self._tree.enclosing(sink.call) is function]
        added = self._added(found) if len(here) == 1 else None
        return [] if added is None else [added]

    def _added(self, found: LossSlice) -> Sink | None:
        if not found.units or found.place is None:
            return None
        *start, last = found.units
        if not isinstance(last.node, cst.For) or any(self._flow.module_uses(u.node) for u in start):
            return None
        body = self._tree.blocks(last.node)[0].units
        adding = [u for u in body if found.place in self._reader.of(u.node).changes]
        term = self._term(adding[0], found.place) if len(adding) == 1 else None
        if term is None or not self._stands_alone(term, adding[0], found.place, body):
            return None
        return Sink(cst.ensure_type(adding[0].node, cst.AugAssign), term, adding[0])

    def reads_samples(self, sink: Sink) -> bool:
        """A round takes a data set's item apart: `image, label = dataset[i]`."""
        loop = self._tree.parent_unit(sink.unit)
        if loop is None or not isinstance(loop.node, cst.For):
            return False
        counted = _names(loop.node.target)
        return any(self._is_sample(unit.node, counted) for unit in sink.unit.block.units)

    def _term(self, unit: Unit, place: str) -> cst.BaseExpression | None:
        """`loss` in `total += loss`."""
        node = unit.node
        if not isinstance(node, cst.AugAssign) or not isinstance(node.operator, cst.AddAssign):
            return None
        return node.value if place_of(node.target, self._reader.instance) == place else None

    def _stands_alone(
        self, term: cst.BaseExpression, at: Unit, place: str, body: Sequence[Unit]
    ) -> bool:
        """No gradient comes into a round from the one before it."""
        changed = set().union(*(self._reader.of(unit.node).changes for unit in body))
        carried = set(self._slicer.gradients_into(at, term))
        return not overlap(carried, changed) and place not in self._flow.reads(term)

    def _is_sample(self, node: cst.CSTNode, counted: set[str]) -> bool:
        if not isinstance(node, cst.Assign) or not isinstance(node.value, cst.Subscript):
            return False
        several = isinstance(node.targets[0].target, (cst.Tuple, cst.List))
        indices = [name for index in node.value.slice for name in _names(index)]
        return several and bool(counted.intersection(indices))


def _names(node: cst.CSTNode) -> set[str]:
    return {inner.value for inner in descendants(node) if isinstance(inner, cst.Name)}
