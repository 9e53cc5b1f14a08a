"""What of a slice the model computed, and what comes from the batch alone: for messages."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.text.nodes import descendants

_BINDING = (cst.Assign, cst.AnnAssign, cst.AugAssign, cst.NamedExpr)


def comes_from_model(node: cst.CSTNode, pieces: Sequence[cst.CSTNode], analyses: Analyses) -> bool:
    """The expression reads what a module gave, itself or by other values of the slice."""
    reader, flow = analyses.reader, analyses.flow
    steps = [step for piece in pieces for step in descendants(piece) if isinstance(step, _BINDING)]
    given: set[str] = set()
    before = -1
    while before != len(given):
        before = len(given)
        for step in steps:
            effects = reader.of(step)
            if given.intersection(effects.reads) or flow.module_uses(step):
                given |= effects.changes
    return bool(given.intersection(reader.of(node).reads) or flow.module_uses(node))
