"""A step of every branch: each one of an `if` runs model and loss, and one backward follows.

    if mixed:                                   if mixed:
        lam = np.random.beta(1.0, 1.0)              lam = np.random.beta(1.0, 1.0)
        x, a, b = mix(x, y, lam)                    x, a, b = mix(x, y, lam)
        out = model(x)                              loss = model_with_loss(x, a, b, lam)
        loss = mixed_loss(out, a, b, lam)       else:
    else:                                           loss = model_with_loss_2(x, y)
        loss = criterion(model(x), y)           loss.backward()
    loss.backward()

Where the `if` cannot go into forward as it is, each branch calls a wrapper of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from ortwrap.engine.steps.slices import LossSlice, Slicer
from ortwrap.engine.text.tree import Block, SourceTree, Unit

_LEAVES = (cst.Return, cst.Raise, cst.Break, cst.Continue)


def in_branches(found: LossSlice, tree: SourceTree, slicer: Slicer) -> tuple[LossSlice, ...]:
    """The slices of the branches that a slice consists of; none if some branch is no step."""
    node = found.units[0].node if len(found.units) == 1 else None
    if not isinstance(node, cst.If) or found.place is None or found.upstream:
        return ()
    parts = [slicer.inside(found, block) for block in _that_go_on(node, tree)]
    slices = [replace(part, chosen_by=node) for part in parts if part is not None]
    return tuple(slices) if len(slices) == len(parts) else ()


def host_of(found: LossSlice, tree: SourceTree) -> Unit:
    """The statement that computes the loss: the first of the slice, or the `if` around it."""
    return found.pieces[0] if found.chosen_by is None else tree.units[found.chosen_by]


def _that_go_on(node: cst.If, tree: SourceTree) -> Iterator[Block]:
    """The branches behind which the statement after the `if` runs."""
    for block in tree.blocks(node):
        if not isinstance(block.units[-1].node, _LEAVES):
            yield block
