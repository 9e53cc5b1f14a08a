"""Steps inside of the module that they train: `self(x)` in a LightningModule."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants


def runs_its_instance(analyses: Analyses, found: LossSlice) -> bool:
    """The slice calls the module that it is a method of, or methods of it that run modules.

    Then the wrapper holds that module; otherwise it holds those of its modules that are used.
    """
    for piece in found.pieces:
        for node in descendants(piece.node):
            if analyses.modules.is_instance(node) and _is_used_whole(node, analyses):
                return True
    return False


def _is_used_whole(node: cst.CSTNode, analyses: Analyses) -> bool:
    tree, helpers = analyses.tree, analyses.helpers
    parent = tree.parents[node]
    if not isinstance(parent, cst.Attribute):
        return True
    call = tree.parents[parent]
    if not isinstance(call, cst.Call) or call.func is not parent:
        return False
    method = helpers.called(parent)
    return method is not None and bool(helpers.held_modules(method))
