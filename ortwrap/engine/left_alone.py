"""Steps that a comment or the caller wants left as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ortwrap.engine.result import Step
from ortwrap.engine.rows import Rows
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.suppression import find_skips
from ortwrap.engine.text.tree import SourceTree


class LeftAlone:
    """Writes the rows of such steps in one script.

    Attributes:
        asked: the sinks that the caller wants left alone.
    """

    def __init__(self, tree: SourceTree, rows: Rows) -> None:
        self._tree = tree
        self._rows = rows
        self.asked: frozenset[Sink] = frozenset()
        self._skips = find_skips(tree)

    def row(self, sink: Sink, found: LossSlice | None = None) -> Step | None:
        """The row of a step that is left alone; None for another one.

        Args:
            sink: of the step.
            found: its slice, of which a comment may speak as well.
        """
        if sink in self.asked:
            return self._rows.row(sink, "skipped", "left alone as asked")
        lines = self._lines(sink, found)
        for skip in self._skips:
            if any(skip.covers(line) for line in lines):
                where = "" if skip.line == lines[0] else f" in line {skip.line}"
                return self._rows.row(sink, "skipped", f"left alone by `# ortwrap: skip`{where}")
        return None

    def rows(
        self, groups: Iterable[list[Sink]], slices: Mapping[Sink, LossSlice]
    ) -> dict[Sink, Step]:
        """The rows of groups of sinks of which a comment speaks of one line at least."""
        rows: dict[Sink, Step] = {}
        for group in groups:
            found = [self.row(sink, slices[sink]) for sink in group]
            row = next((row for row in found if row is not None), None)
            if row is not None:
                rows.update({sink: replace(row, line=self._tree.line(sink.call)) for sink in group})
        return rows

    def unused_skips(
        self, sinks: Iterable[Sink], slices: Mapping[Sink, LossSlice]
    ) -> tuple[int, ...]:
        """Lines of the comments that speak of no step."""
        lines = [line for sink in sinks for line in self._lines(sink, slices.get(sink))]
        return tuple(skip.line for skip in self._skips if not any(map(skip.covers, lines)))

    def _lines(self, sink: Sink, found: LossSlice | None) -> list[int]:
        units = found.units if found is not None else ()
        return [self._tree.line(node) for node in (sink.call, *(unit.node for unit in units))]
