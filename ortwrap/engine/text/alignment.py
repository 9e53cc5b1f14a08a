"""Continuation lines below their bracket, where the script has them there.

What moves into forward gets a `self.`, a `return`, another name: a line that stood below the first
argument would stand beside it.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class _Continuation:
    """A line that begins inside of brackets.

    Attributes:
        line: its number.
        indent: the column where it begins.
        bracket: line and column of the innermost bracket that is open there.
        hangs: it starts deeper than the bracket's line, rather than below what follows the bracket.
        closes: it begins with the bracket that ends the innermost.
    """

    line: int
    indent: int
    bracket: tuple[int, int]
    hangs: bool
    closes: bool


def is_aligned(code: str) -> bool:
    """Every continuation line stands below what follows its bracket, and there is one."""
    below = [each for each in _continuations(code) if not each.hangs and not each.closes]
    return bool(below) and all(each.indent == each.bracket[1] + 1 for each in below)


def align(code: str) -> str:
    """The same code with every continuation line below what follows its bracket."""
    shifts: dict[int, int] = {}
    lines = code.split("\n")
    for each in _continuations(code):
        line, column = each.bracket
        moved = shifts.get(line, 0)
        below = not each.hangs and not each.closes
        shifts[each.line] = column + 1 + moved - each.indent if below else moved
    for number, shift in shifts.items():
        text = lines[number - 1]
        width = len(text) - len(text.lstrip())
        lines[number - 1] = " " * (width + shift) + text.lstrip()
    return "\n".join(lines)


def _continuations(code: str) -> Iterator[_Continuation]:
    """The continuation lines of some statements, in order; none where a tab makes columns vague."""
    if "\t" in code:
        return
    tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    opened: list[tuple[int, int, bool]] = []
    seen = 0
    for index, token in enumerate(tokens):
        if token.type in (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            continue
        line, column = token.start
        closes = token.type == tokenize.OP and token.string in ")]}"
        if opened and line > seen and token.type != tokenize.COMMENT:
            where, at, hangs = opened[-1]
            yield _Continuation(line, column, (where, at), hangs, closes)
        seen = max(seen, token.end[0])
        if token.type == tokenize.OP and token.string in "([{":
            follows = tokens[index + 1].type
            opened.append((line, column, follows in (tokenize.NL, tokenize.COMMENT)))
        elif closes and opened:
            opened.pop()
