"""Names that a loop over what the model returned binds, in one branch of a slice.

    if isinstance(outputs, list):
        loss = criterion(outputs[0], target)
        for output in outputs[1:]:
            loss += criterion(output, target)
    else:
        output = outputs
        loss = criterion(output, target)
    ...
    accuracy(output, target)

A model gives as many outputs in each step. Were there none for the loop, the first step would have
failed where the name is read, if nothing else binds it.
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.liveness import bound_by_a_round, last_else, surely_binds
from ortwrap.engine.effects.statement import place_of
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.tree import Block, Unit


def bound_with_a_round(found: LossSlice, analyses: Analyses) -> set[str]:
    """Places that every branch of some `if` binds, once its loops over outputs make a round."""
    returned: set[str] = set()
    bound: set[str] = set()
    for piece in found.pieces:
        node = piece.node
        if isinstance(node, cst.If) and last_else(node) is not None:
            branches = [
                _bound_by(block, returned, analyses) for block in analyses.tree.blocks(node)
            ]
            bound |= set.intersection(*branches)
        if isinstance(node, cst.Assign) and analyses.flow.module_uses(node):
            returned |= analyses.reader.of(node).writes
    return {place for place in bound if _is_bound_here_alone(place, found, analyses)}


def _bound_by(block: Block, returned: set[str], analyses: Analyses) -> set[str]:
    bound: set[str] = set()
    for unit in block.units:
        bind = bound_by_a_round if _is_over(unit, returned, analyses) else surely_binds
        bound |= bind(unit, analyses.tree, analyses.reader)
    return bound


def _is_over(unit: Unit, returned: set[str], analyses: Analyses) -> bool:
    """`for output in outputs[1:]`, of what the model has returned."""
    iterated = unit.node.iter if isinstance(unit.node, cst.For) else None
    if isinstance(iterated, cst.Call) and analyses.tree.code(iterated.func) == "enumerate":
        iterated = iterated.args[0].value
    if isinstance(iterated, cst.Subscript):
        iterated = iterated.value
    return iterated is not None and place_of(iterated, analyses.reader.instance) in returned


def _is_bound_here_alone(place: str, found: LossSlice, analyses: Analyses) -> bool:
    tree = analyses.tree
    names = analyses.bindings.scope(tree.enclosing(found.sink.call)).names
    inside = [tree.span(piece.node) for piece in found.pieces]
    at = [tree.span(binding.node).start for binding in names.get(place, ())]
    return bool(at) and all(any(each.start <= start < each.end for each in inside) for start in at)
