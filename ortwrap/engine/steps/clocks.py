"""Times that are taken between the model and what its loss is prepared from.

    output = model(x)                    output = model(x)
    forward = time.time() - start        anchors = make_anchors(x)
    anchors = make_anchors(x)            loss = criterion(output, anchors, y)
    loss = criterion(...)                forward = time.time() - start

Model and loss become one call, which has to stand behind the anchors. A time that is taken in front
of it would leave out the model; behind it, it is that of forward and loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.clocks import is_clock, reads_clock
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.text.nodes import calls_in
from ortwrap.engine.text.rearranged import Rearranged, with_lines_behind
from ortwrap.engine.text.tree import SourceTree, Unit


@dataclass(frozen=True)
class TakenTime:
    """A statement that takes the time, and the step that it stands in.

    Attributes:
        line: of the first statement of the step.
        at: where the time is taken.
        end: the last line of the loss.
    """

    line: int
    at: int
    end: int


def with_times_behind(tree: SourceTree, times: Sequence[TakenTime]) -> Rearranged:
    """The script with each time taken right behind the loss of its step."""
    behind: dict[int, list[int]] = {}
    for time in times:
        behind.setdefault(time.end, []).append(time.at)
    moved = {time.at for time in times}
    return with_lines_behind(tree, behind, moved)


def taken_times(pieces: Sequence[Unit], analyses: Analyses) -> Iterator[TakenTime]:
    """The times that are taken among the statements of a step, and that no other of them reads.

    Args:
        pieces: what the loss is computed from, in order.
        analyses: of their function.
    """
    tree, reader = analyses.tree, analyses.reader
    first, last = pieces[0], pieces[-1]
    among = first.block.units[first.index : last.index] if first.block is last.block else []
    for unit in among:
        behind = last.block.units[unit.index + 1 : last.index + 1]
        if (
            _takes_the_time(unit)
            and _has_its_line(unit, tree)
            and _may_follow(unit, behind, reader)
        ):
            line, end = tree.line(first.node), tree.end_line(last.node)
            yield TakenTime(line, tree.line(unit.node), end)


def _may_follow(unit: Unit, others: Sequence[Unit], reader: EffectsReader) -> bool:
    """None of some statements reads or binds its name, or changes what it reads."""
    effects = reader.of(unit.node)
    for other in others:
        theirs = reader.of(other.node)
        if effects.writes & (theirs.reads.keys() | theirs.writes):
            return False
        if effects.reads.keys() & theirs.changes:
            return False
    return True


def _takes_the_time(unit: Unit) -> bool:
    """`now = time.time()`, `took = time.time() - start`: it calls nothing but clocks."""
    node = unit.node
    if not isinstance(node, cst.Assign) or not reads_clock(node):
        return False
    names = all(isinstance(target.target, cst.Name) for target in node.targets)
    return names and all(map(is_clock, calls_in(node.value)))


def _has_its_line(unit: Unit, tree: SourceTree) -> bool:
    one_line = tree.line(unit.node) == tree.end_line(unit.node)
    return one_line and not unit.shares_line and tree.line_text(tree.line(unit.node))[-1:] == "\n"
