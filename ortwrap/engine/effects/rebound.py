"""Names that a loop binds anew in each round: what they held before it reaches nothing in it.

for x, y in batches:
    x = x.to(device)      # not the `x` of an earlier loop
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.effects.liveness import Liveness
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.text.tree import Unit

_READ_AT_ONCE = (cst.BaseSmallStatement, cst.BaseExpression)


class Rebound:
    """Tells, for the statements of one function, which of the places that they read are their own.

    Args:
        reader: of the function.
        liveness: of the function.
    """

    def __init__(self, reader: EffectsReader, liveness: Liveness) -> None:
        self._reader = reader
        self._liveness = liveness
        self._known: dict[Unit, frozenset[str]] = {}

    def before_read(self, unit: Unit) -> frozenset[str]:
        """Places that a loop or a branch reads, and has always bound itself before it does."""
        if isinstance(unit.node, _READ_AT_ONCE):
            return frozenset()
        if unit not in self._known:
            reads = frozenset(self._reader.of(unit.node).reads)
            self._known[unit] = reads - self._liveness.exposed([unit])
        return self._known[unit]
