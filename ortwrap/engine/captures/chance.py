"""Branches taken by chance: `if random.random() < ratio` can be decided before the call.

Where nothing before it on the way to the loss draws of Python's or NumPy's generator, the number is
the same, and forward is told which way to go.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.randomness import Randomness
from ortwrap.engine.effects.statement import overlap
from ortwrap.engine.text.nodes import calls_in
from ortwrap.engine.text.tree import Unit

_DRAWS_A_NUMBER = frozenset(
    "random.random numpy.random.rand numpy.random.random numpy.random.uniform".split()
)


def is_drawn_first(test: cst.CSTNode, pieces: Sequence[Unit], analyses: Analyses) -> bool:
    """A piece branches by `random.random() < ratio`, and no other comes before that draws.

    Args:
        test: what may be its condition.
        pieces: those of the slice.
        analyses: of the function that they stand in.
    """
    nodes = [piece.node for piece in pieces]
    branch = analyses.tree.parents.get(test)
    if not isinstance(branch, cst.If) or branch.test is not test or branch not in nodes:
        return False
    calls = list(calls_in(test))
    alone = isinstance(test, cst.Comparison) and len(calls) == 1 and not calls[0].args
    if not alone or analyses.bindings.qualified(calls[0].func) not in _DRAWS_A_NUMBER:
        return False
    first = nodes[: nodes.index(branch)]
    changed = set().union(*(analyses.reader.of(node).changes for node in (*first, branch)))
    if overlap(set(analyses.reader.of(test).reads), changed):
        return False
    randomness = Randomness(analyses.tree, analyses.bindings, analyses.modules, beside_torch=True)
    return not any(map(randomness.may_draw_in, first))
