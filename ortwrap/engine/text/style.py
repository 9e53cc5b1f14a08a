"""How a script is written, so that what is generated looks like it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from ortwrap.engine.text.tree import SourceTree

# Between what formatters and style guides ask for: a script of short lines may have longer ones.
_AT_LEAST, _AT_MOST = 88, 120
_LONG_STRING = re.compile(r"""(['"]).{30,}\1""")


def docstring_quotes(tree: SourceTree) -> str:
    """The quotes around the script's docstrings."""
    single, double = tree.text.count("'''"), tree.text.count('"""')
    return "'''" if single > double else '"""'


def longest_line(tree: SourceTree) -> int:
    """The length of the longest line of code, within what style guides ask for."""
    longest = max(map(len, _lines_of_code(tree)), default=0)
    return min(max(longest, _AT_LEAST), _AT_MOST)


def call_over_lines(start: str, arguments: Sequence[str], indent: str, room: int) -> str:
    """A call on one line, or over several where that has no room.

    Args:
        start: the text up to its arguments, such as `loss = step`.
        arguments: their texts.
        indent: by how much an inner line is indented.
        room: the length that a line can have.
    """
    everything = ", ".join(arguments)
    line = f"{start}({everything})"
    if len(line.rpartition("\n")[2]) <= room:
        return line
    if len(indent.expandtabs()) + len(everything) <= room:
        return f"{start}(\n{indent}{everything}\n)"
    return "".join((f"{start}(\n", *(f"{indent}{item},\n" for item in arguments), ")"))


def values_over_lines(start: str, values: Sequence[str], end: str, indent: str, room: int) -> str:
    """`return a, b`, or `a, b = step(`, with the values in brackets where a line has no room.

    Args:
        start: the text in front of the values.
        values: their texts.
        end: what follows them in the same line.
        indent: by how much an inner line is indented.
        room: the length that a line can have.
    """
    line = f"{start}{', '.join(values)}{end}"
    if len(line) <= room or len(values) < 2:
        return line
    return "".join((f"{start}(\n", *(f"{indent}{value},\n" for value in values), f"){end}"))


def _lines_of_code(tree: SourceTree) -> Iterator[str]:
    """Without comments, docstrings and long strings, which are not wrapped where code is."""
    for node in tree.units:
        first = last = tree.line(node)
        if isinstance(node, cst.BaseSmallStatement):
            last = tree.end_line(node)
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString):
            continue
        for number in range(first, last + 1):
            line = tree.line_text(number).expandtabs().rstrip()
            if "#" not in line and not _LONG_STRING.search(line):
                yield line
