"""What handlers of a `try` around model and loss find of them where one of the two fails."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.reasons.attempts import read_on_failure
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice


def check_no_handler_reads_half(found: LossSlice, analyses: Analyses) -> None:
    """Refuse a slice of which a handler reads what the model gave although the loss failed.

    In one call either all of the slice has been bound, or nothing.

    Raises:
        Refuse: some handler, or a `finally`, does.
    """
    tree, reader = analyses.tree, analyses.reader
    first = found.pieces[0].node
    half = set[str]().union(*(reader.of(piece.node).changes for piece in found.pieces[:-1]))
    inside: cst.CSTNode = first
    for node in tree.ancestors(first):
        if isinstance(node, cst.FunctionDef):
            return
        if isinstance(node, (cst.Try, cst.TryStar)) and inside is node.body:
            for unit, name in read_on_failure(half, tree.blocks(node)[0], tree, reader):
                raise Refuse("OW115", unit.node, name=name, line=tree.line(unit.node))
        inside = node
