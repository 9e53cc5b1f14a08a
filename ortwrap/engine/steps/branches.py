"""A step of every branch: each one of an `if` runs model and loss, and one backward follows.

    if mixed:                                   if mixed:
        lam = np.random.beta(1.0, 1.0)              lam = np.random.beta(1.0, 1.0)
        x, a, b = mix(x, y, lam)                    x, a, b = mix(x, y, lam)
        out = model(x)                              loss = model_with_loss(x, a, b, lam)
        loss = mixed_loss(out, a, b, lam)       else:
    else:                                           loss = model_with_loss_2(x, y)
        loss = criterion(model(x), y)           loss.backward()
    loss.backward()

Where the `if` cannot go into forward as it is, each branch calls a wrapper of its own. What all of
them add to the loss behind the `if`, say a penalty, stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.steps.cutting import until
from ortwrap.engine.steps.slices import LossSlice, Slicer
from ortwrap.engine.text.tree import Block, SourceTree, Unit

_LEAVES = (cst.Return, cst.Raise, cst.Break, cst.Continue)


def in_branches(found: LossSlice, analyses: Analyses, slicer: Slicer) -> tuple[LossSlice, ...]:
    """The slices of the branches that a slice begins with; none if some branch is no step."""
    found = _without_preparation(found, analyses)
    node = found.pieces[0].node
    if not isinstance(node, cst.If) or found.upstream:
        return ()
    if len(found.pieces) > 1:
        head = until(found.pieces[1].index, found, analyses)
        return () if head is None else in_branches(head, analyses, slicer)
    parts = [slicer.inside(found, block) for block in _that_go_on(node, analyses.tree)]
    slices = [replace(part, chosen_by=node) for part in parts if part is not None]
    return tuple(slices) if len(slices) == len(parts) else ()


def _without_preparation(found: LossSlice, analyses: Analyses) -> LossSlice:
    """The slice from its first run of a model on: what a branch mixes in place is an input."""
    runs = [unit.index for unit in found.units if analyses.flow.module_uses(unit.node)]
    before = tuple(unit for unit in found.units if runs and unit.index < runs[0])
    if any(found.place in analyses.reader.of(unit.node).writes for unit in before):
        return found
    preparation = (*found.preparation, *before)
    return replace(found, units=found.units[len(before) :], preparation=preparation)


def host_of(found: LossSlice, tree: SourceTree) -> Unit:
    """The statement that computes the loss: the first of the slice, or the `if` around it."""
    return found.pieces[0] if found.chosen_by is None else tree.units[found.chosen_by]


def _that_go_on(node: cst.If, tree: SourceTree) -> Iterator[Block]:
    """The branches behind which the statement after the `if` runs."""
    for block in tree.blocks(node):
        if not isinstance(block.units[-1].node, _LEAVES):
            yield block
