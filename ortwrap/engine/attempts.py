"""What a `try` around model and loss asks of a rewrite: nobody may see half of the slice."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from ortwrap.engine.effects import EffectsReader, overlap
from ortwrap.engine.tree import Block, SourceTree, Unit


def is_read_on_failure(
    units: Iterable[Unit], tried: Block, tree: SourceTree, reader: EffectsReader
) -> bool:
    """A handler or `finally` reads what some of the units may have computed by then.

    In one call either all of them have been run, or none.

    Args:
        units: statements of the body that become one call.
        tried: the body of the `try`.
        tree: the script.
        reader: of the function around.
    """
    computed = set[str]().union(*(reader.of(unit.node).changes for unit in units))
    return any(
        overlap(computed, set(reader.of(unit.node).reads))
        for block in tree.blocks(tried.owner)
        if block is not tried and not isinstance(block.owner, cst.Else)
        for unit in block.units
    )
