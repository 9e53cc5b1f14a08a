"""Lines as Python counts them."""

from __future__ import annotations

import io


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends: `str.splitlines` also breaks at form feeds and more."""
    return io.StringIO(text, newline="").readlines()


def lines_before(text: str, patched: str) -> list[int]:
    """For each line of a patched text, and its end, the 1-based line that it is of the first one.

    What is new counts for the line that it stands before.
    """
    import difflib  # `--help` comes by this file and needs none

    matcher = difflib.SequenceMatcher(None, lines_of(text), lines_of(patched), autojunk=False)
    found: list[int] = []
    for _, start, end, there, until in matcher.get_opcodes():
        last = max(start, end - 1)
        found += [min(start + offset, last) + 1 for offset in range(until - there)]
    return [*found, len(lines_of(text)) + 1]
