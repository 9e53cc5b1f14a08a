"""What a function computes a value by."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.text.tree import SourceTree


def computed_from(
    value: cst.BaseExpression, tree: SourceTree, reader: EffectsReader
) -> list[cst.CSTNode]:
    """The value, and the assignments above it in its function that it is computed by."""
    function, end = tree.enclosing(value), tree.span(value).start
    above = [
        node
        for node in tree.assignments
        if tree.enclosing(node) is function and tree.span(node).start < end
    ]
    wanted = set(reader.of(value).reads)
    behind: list[cst.CSTNode] = [value]
    for node in sorted(above, key=lambda each: tree.span(each).start, reverse=True):
        effects = reader.of(node)
        if effects.writes & wanted:
            wanted |= set(effects.reads)
            behind.append(node)
    return behind
