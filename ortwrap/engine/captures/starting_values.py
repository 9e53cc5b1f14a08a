"""Values that names have unless a branch of the slice gives them another: forward starts with them.

    penalty = None
    output = model(x)
    if args.penalty > 0:
        penalty = args.penalty * output.norm()
    loss = criterion(output, y) if penalty is None else criterion(output, y) + penalty

Left outside, each of them would be an argument that is the same in every call.
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.evidence.own_criteria import is_written_out
from ortwrap.engine.steps.absorbing import absorb
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.tree import Unit


def with_starting_values(
    found: LossSlice, theirs: set[Unit], analyses: Analyses
) -> LossSlice | None:
    """The slice with the statements that only write such values down; None if there are none."""
    wider = found
    for unit in found.preparation:
        names = _given(unit.node)
        if names and unit not in theirs and _are_for_the_slice(names, unit, found, analyses):
            wider = absorb(wider, unit, analyses) or wider
    return wider if wider is not found else None


def _given(node: cst.CSTNode) -> set[str]:
    """`a` and `b` in `a = b = None` and in `a, b = 0, 1`; none where more is bound than names."""
    if not isinstance(node, cst.Assign) or not all(map(is_written_out, _parts(node.value))):
        return set()
    targets = [part for target in node.targets for part in _parts(target.target)]
    names = {target.value for target in targets if isinstance(target, cst.Name)}
    return names if len(names) == len(targets) else set()


def _parts(value: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(value, (cst.Tuple, cst.List)):
        return [element.value for element in value.elements]
    return [value]


def _are_for_the_slice(names: set[str], unit: Unit, found: LossSlice, analyses: Analyses) -> bool:
    """A branch of the slice gives each of them another value, and nothing else reads the first."""
    if any(isinstance(around, cst.Try) for around in analyses.tree.ancestors(unit.node)):
        # What handles a failure of the step may ask how far it came.
        return False
    branches = (piece for piece in found.pieces if isinstance(piece.node, cst.If))
    bound = set().union(*(analyses.reader.of(piece.node).writes for piece in branches))
    last = found.pieces[-1].index
    others = set(found.block.units[unit.index + 1 : last]) - set(found.pieces)
    touched: set[str] = set()
    for other in others:
        effects = analyses.reader.of(other.node)
        touched |= set(effects.reads) | effects.changes
    return names <= bound and names.isdisjoint(touched)
