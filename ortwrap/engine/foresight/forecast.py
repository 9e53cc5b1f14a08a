"""Whether a step can run on ONNX Runtime once it is rewritten."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.statement import instance_name
from ortwrap.engine.foresight.causes import Cause, cause_in
from ortwrap.engine.foresight.code import Code, Source
from ortwrap.engine.foresight.reached import Ways, run_by
from ortwrap.engine.names.lineage import Ancestor, Lineage
from ortwrap.engine.plan import Plan

# Functions that are looked through for one step.
_MOST = 200


def why_eager(plan: Plan, analyses: Analyses) -> Cause | None:
    """The first thing that a step runs and no graph can hold; None where nothing tells of one."""
    return _Search().cause(_code_of(plan, analyses))


class _Search:
    """Looks through what a step runs, each function once."""

    def __init__(self) -> None:
        # None also of a function that is being looked through: a second look finds nothing new.
        self._known: dict[tuple[cst.CSTNode, cst.CSTNode | None], Cause | None] = {}

    def cause(self, code: Code) -> Cause | None:
        own = cause_in(code)
        if own is not None:
            return own
        for node in code.runs():
            if isinstance(node, cst.Call):
                cause = self._of_ways(run_by(node, code))
                if cause is not None:
                    return cause
        return None

    def _of_ways(self, ways: Ways) -> Cause | None:
        """A cause that no way avoids."""
        causes = [self._of_all(way) for way in ways]
        return causes[0] if causes and None not in causes else None

    def _of_all(self, way: list[Code]) -> Cause | None:
        return next(filter(None, map(self._once, way)), None)

    def _once(self, code: Code) -> Cause | None:
        if code.function is None:
            return None
        home = code.lineage.members[0].node if code.lineage is not None else None
        key = code.function, home
        if key not in self._known and len(self._known) < _MOST:
            self._known[key] = None
            self._known[key] = self.cause(code)
        return self._known.get(key)


def _code_of(plan: Plan, analyses: Analyses) -> Code:
    """The statements that move into forward."""
    body = [piece.node for piece in plan.found.pieces]
    function = analyses.tree.enclosing(body[0])
    instance = instance_name(function, analyses.bindings)
    home = analyses.tree.enclosing_class(function) if instance else None
    lineage = None if home is None else Lineage(Ancestor(home, analyses.bindings))
    return Code(body, Source(analyses.bindings, analyses.modules), instance or "", lineage)
