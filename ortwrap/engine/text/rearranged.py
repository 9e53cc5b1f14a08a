"""A script with statements in other places, line by line beside the one that it was."""

from __future__ import annotations

from dataclasses import dataclass


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
