"""`# ortwrap: skip`: steps that are left alone because the script says so.

A comment speaks of the statement that it stands behind or above, with everything inside of it:
a line of a step, a loop, a function, a class. Above all code it speaks of the whole file.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ortwrap.engine.text.tree import SourceTree

_SKIP = re.compile(r"#[ \t]*ortwrap:[ \t]*skip(?=$|[\s:,;(])")
_STRING = re.compile(r"[rRuU]?['\"]")
_DEFINITION = re.compile(r"(?:async[ \t]+def|def|class)\b|@")
# Whatever follows on the other side of a line: more than any file has.
_END = 1 << 60


@dataclass(frozen=True)
class Skip:
    """One comment.

    Attributes:
        line: where it stands, 1-based.
        first: first line of what it speaks of.
        last: last line of it.
    """

    line: int
    first: int
    last: int

    def covers(self, line: int) -> bool:
        """Whether a statement on this line is left alone."""
        return self.first <= line <= self.last


def skip_lines(text: str) -> tuple[int, ...]:
    """Lines with such a comment, in a text that has no training step to speak of."""
    if not _SKIP.search(text):
        return ()
    return tuple(_comment_lines(text))


def _comment_lines(text: str) -> Iterator[int]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline=None).readline):
            if token.type == tokenize.COMMENT and _SKIP.search(token.string):
                yield token.start[0]
    except (tokenize.TokenError, SyntaxError):
        return  # newer syntax than this interpreter's


def find_skips(tree: SourceTree) -> tuple[Skip, ...]:
    """Every such comment of a script, in the order of their lines."""
    lines = [tree.line_at(span.start) for span, text in tree.comments if _SKIP.search(text)]
    return tuple(_Reader(tree).read(line) for line in lines) if lines else ()


class _Reader:
    """Finds the statement that a comment speaks of."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        # Decorators belong to a definition, though its position starts below them.
        self._extents = [
            (min([tree.line(node), *map(tree.line, getattr(node, "decorators", ()))]), end)
            for node, end in ((node, tree.end_line(node)) for node in tree.units)
        ]
        units = tree.blocks(tree.module)[0].units
        code = [unit for unit in units if not _STRING.match(tree.source(unit.node))]
        self._first_code = min((tree.line(unit.node) for unit in code), default=_END)

    def read(self, line: int) -> Skip:
        if not self._tree.is_comment_line(line):
            return Skip(line, *self._innermost(line))
        below = line + 1
        while self._tree.is_comment_line(below):
            below += 1
        directly = _DEFINITION.match(self._tree.line_text(below).lstrip())
        if line < self._first_code and not directly:
            return Skip(line, 1, _END)
        while self._tree.line_text(below) and not self._tree.line_text(below).strip():
            below += 1
        while self._tree.is_comment_line(below):
            below += 1
        return Skip(line, *self._innermost(below))

    def _innermost(self, line: int) -> tuple[int, int]:
        around = [extent for extent in self._extents if extent[0] <= line <= extent[1]]
        return min(around, key=lambda extent: extent[1] - extent[0], default=(line, line))
