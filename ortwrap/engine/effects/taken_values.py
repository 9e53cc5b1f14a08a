"""Reads of a tensor that take its value and leave its graph alone."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.text.tree import SourceTree

_TAKE_THE_VALUE = frozenset("item detach data tolist".split())


def takes_value(node: cst.CSTNode, tree: SourceTree) -> bool:
    """`loss.item()`: it is a tensor, and its gradient is asked by no one."""
    parent = tree.parents[node]
    return isinstance(parent, cst.Attribute) and parent.attr.value in _TAKE_THE_VALUE
