"""A loss that a loop adds up, one model run a round: what each round adds is a loss by itself.

Lifted whole, the loop would be unrolled into a graph for each number of rounds, and what a round
reads from a data set would be read inside of forward. Lifted round by round, one graph serves all.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.statement import overlap, place_of
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice, Slicer
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Unit


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
        others = (
            sink
            for sink in sinks
            if sink is not found.sink and self._tree.enclosing(sink.call) is function
        )
        added = self._added(found)
        apart = added is not None and not any(self._shares(found, other) for other in others)
        return [added] if added is not None and apart else []

    def _shares(self, found: LossSlice, other: Sink) -> bool:
        """Another loss may go back through what this one does."""
        try:
            theirs = self._slicer.slice(other)
        except Refuse:
            return True
        around = {node for unit in theirs.units for node in self._tree.ancestors(unit.node)}
        return any(u in (*theirs.units, *theirs.upstream) or u.node in around for u in found.units)

    def prefers(self, sink: Sink) -> bool:
        """A round is a better step than the loop: the first one differs, or samples are read."""
        return isinstance(sink.call, cst.If) or self._reads_samples(sink)

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
        node = adding[0].node
        assert isinstance(node, (cst.If, cst.Assign, cst.AugAssign)), "it has a term"
        return Sink(node, term, adding[0])

    def _reads_samples(self, sink: Sink) -> bool:
        """A round takes a data set's item apart: `image, label = dataset[i]`."""
        loop = self._tree.parent_unit(sink.unit)
        if loop is None or not isinstance(loop.node, cst.For):
            return False
        counted = _names(loop.node.target)
        return any(self._is_sample(unit.node, counted) for unit in sink.unit.block.units)

    def _term(self, unit: Unit, place: str) -> cst.BaseExpression | None:
        """`loss` in `total += loss`, or where the first round begins with `total = loss`."""
        node = unit.node
        if isinstance(node, cst.If):
            return self._term_of_branches(node, place)
        if isinstance(node, cst.Assign):
            return self._added_anew(node, place)
        if not isinstance(node, cst.AugAssign) or not isinstance(node.operator, cst.AddAssign):
            return None
        return node.value if place_of(node.target, self._reader.instance) == place else None

    def _term_of_branches(self, node: cst.If, place: str) -> cst.BaseExpression | None:
        """The name of what one branch begins the sum with, and the other adds to it."""
        if not isinstance(node.orelse, cst.Else):
            return None
        blocks = self._tree.blocks(node)
        terms = [
            self._begun(block.units[0], place) or self._term(block.units[0], place)
            for block in blocks
            if len(block.units) == 1
        ]
        names = {term.value for term in terms if isinstance(term, cst.Name)} - {place}
        return terms[0] if len(terms) == len(blocks) and len(names) == 1 else None

    def _added_anew(self, node: cst.Assign, place: str) -> cst.BaseExpression | None:
        """`loss` in `total = total + loss`."""
        value, instance = node.value, self._reader.instance
        if len(node.targets) != 1 or place_of(node.targets[0].target, instance) != place:
            return None
        if not isinstance(value, cst.BinaryOperation) or not isinstance(value.operator, cst.Add):
            return None
        return value.right if place_of(value.left, instance) == place else None

    def _begun(self, unit: Unit, place: str) -> cst.BaseExpression | None:
        """`loss` in `total = loss`."""
        node = unit.node
        if not isinstance(node, cst.Assign) or len(node.targets) != 1:
            return None
        begins = place_of(node.targets[0].target, self._reader.instance) == place
        return node.value if begins and isinstance(node.value, cst.Name) else None

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
