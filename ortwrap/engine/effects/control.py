"""Where control goes at a statement: out of the one that it is a part of, or into other code."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.text.tree import SourceTree


def where_control_goes(node: cst.CSTNode, outer: cst.CSTNode, tree: SourceTree) -> str | None:
    """What a node does to the order in which the code around the outer statement runs."""
    if isinstance(node, (cst.Await, cst.Yield)):
        return "other code runs there"
    if isinstance(node, cst.Return):
        return "it leaves the block"
    if isinstance(node, (cst.Break, cst.Continue)) and not _has_its_loop(node, outer, tree):
        return "it leaves the block"
    return None


def _has_its_loop(node: cst.CSTNode, outer: cst.CSTNode, tree: SourceTree) -> bool:
    """The loop that a `break` or `continue` is about is no loop around the outer statement."""
    while node is not outer:
        around = tree.parents[node]
        if isinstance(around, (cst.For, cst.While)) and node is around.body:
            return True
        node = around
    return False
