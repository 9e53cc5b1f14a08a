"""What a `try` around model and loss asks of a rewrite: nobody may see half of the slice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader, overlap
from ortwrap.engine.text.tree import Block, SourceTree, Unit


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
    return any(True for _ in read_on_failure(computed, tried, tree, reader))


def read_on_failure(
    places: set[str], tried: Block, tree: SourceTree, reader: EffectsReader
) -> Iterator[tuple[Unit, str]]:
    """What the handlers and the `finally` of a `try` read of some places, with the statement."""
    for block in tree.blocks(tried.owner):
        if block is tried or isinstance(block.owner, cst.Else):
            continue
        for unit in block.units:
            for place in sorted(overlap(places, set(reader.of(unit.node).reads))):
                yield unit, place
