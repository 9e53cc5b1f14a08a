"""Items that statements beside the slice pick from what it computes: `hidden = out["hidden"]`.

Forward picks them as well: a graph with these for outputs need not keep all the others of `out`.
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.names.members import constant_index
from ortwrap.engine.plan import Captures
from ortwrap.engine.steps.absorbing import absorb
from ortwrap.engine.steps.order import Order
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.tree import Unit


def with_picks(
    found: LossSlice, order: Order, captures: Captures, theirs: set[Unit], analyses: Analyses
) -> LossSlice | None:
    """The slice with the statements that pick items of its outputs; None if there are none.

    Args:
        found: the slice.
        order: where its call stands.
        captures: what comes out of it.
        theirs: statements of other slices.
        analyses: of the function that they stand in.
    """
    places = {output.place for output in captures.outputs if not output.detach}
    beside = [unit for unit in order.after if unit not in theirs]
    picking = [unit for unit in beside if _picked_from(unit.node) in places]
    wider: LossSlice | None = found
    for unit in picking:
        wider = None if wider is None else absorb(wider, unit, analyses)
    return wider if picking else None


def still_whole(captures: Captures, picked: Captures) -> bool:
    """What the items are picked from comes out as before, beside them."""
    return {each.place for each in captures.outputs} <= {each.place for each in picked.outputs}


def _picked_from(node: cst.CSTNode) -> str | None:
    """`out` in `hidden = out["hidden"]` and in `hidden = out.hidden`."""
    if not isinstance(node, cst.Assign) or len(node.targets) > 1:
        return None
    picked = node.value
    if not isinstance(picked, (cst.Attribute, cst.Subscript)):
        return None
    one = isinstance(picked, cst.Attribute) or constant_index(picked) is not None
    named = isinstance(node.targets[0].target, cst.Name)
    return picked.value.value if one and named and isinstance(picked.value, cst.Name) else None
