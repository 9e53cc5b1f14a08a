"""A script with statements in other places, line by line beside the one that it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ortwrap.engine.text.tree import SourceTree


@dataclass(frozen=True)
class Rearranged:
    """A script that does the same in another order of its statements.

    Attributes:
        text: the script.
        lines: which line of the script as it was each of its lines comes from.
    """

    text: str
    lines: tuple[int, ...]

    def come_from(self, number: int) -> list[int]:
        """The lines that come from a line of the script as it was."""
        return [line for line, source in enumerate(self.lines, start=1) if source == number]


def with_lines_behind(
    tree: SourceTree, behind: Mapping[int, Sequence[int]], moved: Collection[int]
) -> Rearranged:
    """The script with lines of it behind others.

    Args:
        tree: the script.
        behind: for a line, the lines that follow it; those that are not moved stand there as well.
        moved: the lines that do not stay where they are.
    """
    lines: list[int] = []
    for number in range(1, tree.line_at(len(tree.text)) + 1):
        lines += [] if number in moved else [number]
        lines += behind.get(number, [])
    return Rearranged("".join(map(tree.line_text, lines)), tuple(lines))
