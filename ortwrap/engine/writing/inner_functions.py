"""Functions inside of the generated methods: where they stand, and how they are set apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

import libcst as cst

from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Unit

Line = Union[cst.SimpleStatementLine, cst.BaseCompoundStatement]


def with_functions_below(
    head: tuple[Unit, ...], tail: tuple[Unit, ...]
) -> tuple[tuple[Unit, ...], tuple[Unit, ...]]:
    """Two parts of a body, the functions that only the second calls among its statements."""
    calling = [piece for piece in head if not isinstance(piece.node, cst.FunctionDef)]
    named = {
        node.value
        for piece in calling
        for node in descendants(piece.node)
        if isinstance(node, cst.Name)
    }
    functions = [piece for piece in head if piece not in calling]
    if any(cst.ensure_type(piece.node, cst.FunctionDef).name.value in named for piece in functions):
        return head, tail
    return tuple(calling), (*functions, *tail)


def set_apart(lines: Sequence[Line]) -> list[Line]:
    """Statements with an empty line before and behind each function among them."""
    apart: list[Line] = []
    for line in lines:
        near = bool(apart) and any(isinstance(each, cst.FunctionDef) for each in (apart[-1], line))
        if near:
            above = [cst.EmptyLine(indent=False), *line.leading_lines]
            line = line.with_changes(leading_lines=above)
        apart.append(line)
    return apart
