"""Two texts beside one another, with the colours of Python and unchanged stretches left out."""

# Pygments has no types of its own; where its stubs are installed they leave a method untyped.
# mypy: disable-error-code="import-untyped, no-untyped-call"

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

_CONTEXT = 3


@dataclass(frozen=True)
class Line:
    """One line of one side: its number and its HTML; a number of 0 is a gap."""

    number: int
    html: str


@dataclass(frozen=True)
class Row:
    """A line of each side.

    Attributes:
        kind: `same`, `changed`, or `skipped` for a stretch that is left out.
        left: of the original.
        right: of the patched script.
        lines: how many are left out.
    """

    kind: Literal["same", "changed", "skipped"]
    left: Line = Line(0, "")
    right: Line = Line(0, "")
    lines: int = 0


def side_by_side(original: str, patched: str) -> tuple[Row, ...]:
    """Rows of a two-column diff, each change with a few lines around it."""
    left, right = original.splitlines(), patched.splitlines()
    left_html, right_html = _coloured(original, len(left)), _coloured(patched, len(right))
    rows: list[Row] = []
    matcher = difflib.SequenceMatcher(a=left, b=right, autojunk=False)
    shown = 0
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        rows.append(Row("skipped", lines=group[0][1] - shown))
        shown = group[-1][2]
        for tag, i1, i2, j1, j2 in group:
            for offset in range(max(i2 - i1, j2 - j1)):
                i, j = i1 + offset, j1 + offset
                rows.append(
                    Row(
                        "same" if tag == "equal" else "changed",
                        Line(i + 1, left_html[i]) if i < i2 else Line(0, ""),
                        Line(j + 1, right_html[j]) if j < j2 else Line(0, ""),
                    )
                )
    if rows and shown < len(left):
        rows.append(Row("skipped", lines=len(left) - shown))
    return tuple(rows)


def colours(style: str, scope: str) -> str:
    """CSS of the syntax colours below the selector `scope`."""
    css: str = HtmlFormatter(style=style).get_style_defs(scope)
    return css


def _coloured(text: str, lines: int) -> list[str]:
    """HTML of each line; strings that span lines keep their colour on each of them."""
    lexer = PythonLexer(stripnl=False)
    html: str = highlight("\n".join(text.splitlines()), lexer, HtmlFormatter(nowrap=True))
    return (html.split("\n") + [""] * lines)[:lines]
