"""Attributes that one option binds: the script sets them after the call, on that option again."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.conditions import condition_of
from ortwrap.engine.effects.liveness import surely_binds
from ortwrap.engine.steps.slices import LossSlice


def option_of(place: str, found: LossSlice, analyses: Analyses) -> str:
    """The test of the one branch of a slice that binds a place, and always does; or nothing.

    Asked again behind the slice it comes out as it did: nothing in between changes what it reads.
    """
    reader, tree = analyses.reader, analyses.tree
    binding = [piece for piece in found.pieces if place in reader.of(piece.node).writes]
    node = binding[0].node if len(binding) == 1 else None
    if not isinstance(node, cst.If):
        return ""
    taken = next(block for block in tree.blocks(node) if block.owner is node)
    bound = set().union(*(surely_binds(unit, tree, reader) for unit in taken.units))
    otherwise = node.orelse is not None and place in reader.of(node.orelse).writes
    if place not in bound or otherwise:
        return ""
    condition = condition_of(node.test, reader)
    between = found.block.units[binding[0].index : found.end]
    if condition is None or not analyses.liveness.outlasts(condition, between):
        return ""
    return tree.source(node.test)
