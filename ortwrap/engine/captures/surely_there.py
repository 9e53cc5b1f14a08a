"""Places of which a step's own function tells that they are bound when the step is called.

for epoch in range(epochs):
    self.model.train()                    # without a model it would never come further
    loss = 0
    for x, y in batches:                  # without a batch `loss` is a number: no backward
        loss += self.criterion(self.model(x), y)
    loss.backward()
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.surely_read import surely_read
from ortwrap.engine.steps.block_slices import makes_number
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Unit


def read_before(host: Unit, analyses: Analyses) -> set[str]:
    """Attributes that every path to a statement has read already."""
    tree, reader = analyses.tree, analyses.reader
    read: set[str] = set()
    current: Unit | None = host
    while current is not None:
        for earlier in current.block.units[: current.index]:
            read |= surely_read(earlier.node, reader.instance)
        current = tree.parent_unit(current)
    return {place for place in read if "." in place}


def read_in_some_round(found: LossSlice, analyses: Analyses) -> set[str]:
    """Places that each round of a loop reads without which there is no loss to go back through."""
    read: set[str] = set()
    for units in (_adding(found, analyses), _running(found, analyses)):
        loop = units[0].node if len(units) == 1 else None
        if isinstance(loop, cst.For) and not any(map(_leaves_a_round, descendants(loop.body))):
            read |= surely_read(loop.body, analyses.reader.instance)
            read -= analyses.reader.of(loop).writes
    return read


def _adding(found: LossSlice, analyses: Analyses) -> list[Unit]:
    """The statements that make the loss more than the number that it begins with."""
    changing = [
        unit for unit in found.units if found.place in analyses.reader.of(unit.node).changes
    ]
    return changing[1:] if changing and makes_number(changing[0].node) else []


def _running(found: LossSlice, analyses: Analyses) -> list[Unit]:
    """The statements that run modules."""
    return [unit for unit in found.pieces if analyses.flow.module_uses(unit.node)]


def _leaves_a_round(node: cst.CSTNode) -> bool:
    return isinstance(node, (cst.Break, cst.Continue, cst.Return))
