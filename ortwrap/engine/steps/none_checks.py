"""Checks between model and loss that something is there at all, which go into forward as they are.

    logits, features = model(x)
    if features is None:
        raise RuntimeError("the model gives no features")
    loss = criterion(logits, y) + spread(features)

Behind the call the check would come after the use that it guards, and what it asks for would have
to come out of the graph. Whether a value is None follows from the structure of the call, not from
data.
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.steps.absorbing import absorb
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree, Unit


def with_none_checks(found: LossSlice, theirs: set[Unit], analyses: Analyses) -> LossSlice | None:
    """The slice with the checks of what it computes; None if there are none."""
    first, last = found.pieces[0].index, found.pieces[-1].index
    chosen = {*found.pieces, *theirs}
    between = [unit for unit in found.block.units[first:last] if unit not in chosen]
    wider = found
    for unit in between:
        if _asks_for_none(unit.node, analyses.tree) and _reads_computed(unit, found, analyses):
            wider = absorb(wider, unit, analyses) or wider
    return wider if wider is not found else None


def _asks_for_none(node: cst.CSTNode, tree: SourceTree) -> bool:
    """`if a is None or b is None: raise Error("...")`."""
    if not isinstance(node, cst.If) or node.orelse is not None:
        return False
    body = [unit.node for unit in tree.blocks(node)[0].units]
    raises = len(body) == 1 and isinstance(body[0], cst.Raise) and _says_a_text(body[0])
    return raises and _compares_with_none(node.test)


def _says_a_text(raised: cst.Raise) -> bool:
    """The exception is told nothing that forward would have to be given."""
    names = [node for node in descendants(raised) if isinstance(node, cst.Name)]
    return raised.cause is None and len(names) == 1


def _compares_with_none(test: cst.BaseExpression) -> bool:
    if isinstance(test, cst.BooleanOperation):
        return _compares_with_none(test.left) and _compares_with_none(test.right)
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return False
    (comparison,) = test.comparisons
    none = isinstance(comparison.comparator, cst.Name) and comparison.comparator.value == "None"
    asks = isinstance(comparison.operator, (cst.Is, cst.IsNot))
    return asks and none and isinstance(test.left, cst.Name)


def _reads_computed(unit: Unit, found: LossSlice, analyses: Analyses) -> bool:
    """All that it asks for is made by the statements of the slice above it."""
    node = cst.ensure_type(unit.node, cst.If)
    above = (piece for piece in found.pieces if piece.index < unit.index)
    made = set().union(*(analyses.reader.of(piece.node).writes for piece in above))
    asked = set(analyses.reader.of(node.test).reads) - {"None"}
    return bool(asked) and asked <= made
