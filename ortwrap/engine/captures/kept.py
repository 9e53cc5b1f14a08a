"""Places that a branch or loop of the slice may leave as they were: their value goes in as well."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.text.tree import Unit


def kept_places(rest: Sequence[Unit], analyses: Analyses) -> dict[str, cst.CSTNode]:
    """Places that the first of these pieces may bind, or they are read as they were before.

    Args:
        rest: a compound statement of the slice and the pieces after it.
        analyses: of the function that they stand in.

    Returns:
        Each with a node that reads it.
    """
    piece, reader = rest[0], analyses.reader
    exposed = reader.of(piece.node).writes & analyses.liveness.exposed(rest)
    own = analyses.liveness.exposed(rest[:1])
    found: dict[str, cst.CSTNode] = {}
    for place in sorted(exposed):
        if place in own or _is_bound_before(place, rest, analyses):
            nodes = (reader.of(later.node).reads.get(place, []) for later in rest)
            found[place] = next(node for each in nodes for node in each)
    return found


def _is_bound_before(place: str, rest: Sequence[Unit], analyses: Analyses) -> bool:
    """Something else than the slice may have given it a value when the slice starts."""
    tree = analyses.tree
    function = tree.enclosing(rest[0].node)
    names = analyses.bindings.scope(function).names
    if place not in names:
        return True
    start = tree.span(rest[0].node).start
    end = max((tree.span(loop).end for loop in tree.loops_around(rest[0].node)), default=start)
    inside = [tree.span(unit.node) for unit in rest]
    for binding in names[place]:
        at = tree.span(binding.node).start
        if at < end and not any(span.start <= at < span.end for span in inside):
            return True
    return False
