"""Comments around a statement: which go with it, and which stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import libcst as cst

Compound = TypeVar("Compound", bound=cst.CSTNode)


def without_footer(node: Compound) -> Compound:
    """Comments below the last inner statement stay where they are: they are about what follows."""
    last = [name for name in ("finalbody", "orelse") if getattr(node, name, None) is not None]
    if isinstance(node, cst.Try) and not last and node.handlers:
        return node
    if last:
        return node.with_changes(**{last[0]: without_footer(getattr(node, last[0]))})
    body = getattr(node, "body", None)
    if not isinstance(body, cst.IndentedBlock):
        return node
    inner = body.body[-1]
    if isinstance(inner, cst.BaseCompoundStatement):
        body = body.with_changes(body=[*body.body[:-1], without_footer(inner)])
    return node.with_changes(body=body.with_changes(footer=()))


def comments_above(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """The comments directly above a statement, after the last blank line."""
    found: list[cst.EmptyLine] = []
    for line in reversed(lines):
        if line.comment is None:
            break
        found.insert(0, line)
    return found
