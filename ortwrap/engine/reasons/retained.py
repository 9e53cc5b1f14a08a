"""`loss.backward(retain_graph=True)` where nothing goes back through the graph again.

ORTModule's graph is gone after one backward. Many scripts keep the graph without need: then no
other loss is computed from what forward gave, and no state of a module carries the graph into the
next step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.kept_graphs import KeptGraphs
from ortwrap.engine.plan import Captures
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice


def keeps_graph(call: cst.CSTNode) -> str | None:
    """The argument by which backward is told to keep the graph."""
    if not isinstance(call, cst.Call):
        return None
    for position, argument in enumerate(call.args):
        keyword = argument.keyword.value if argument.keyword is not None else ""
        on = isinstance(argument.value, cst.Name) and argument.value.value == "True"
        if on and (keyword == "retain_graph" or (not keyword and position == 1)):
            return "retain_graph=True"
    return None


def check_graph_is_spent(
    sinks: Sequence[Sink], found: LossSlice, captures: Captures, analyses: Analyses
) -> None:
    """Look for what may go back through the graph of a step once more.

    Raises:
        Refuse: backward keeps the graph, and something may.
    """
    keyword = next(filter(None, (keeps_graph(sink.call) for sink in sinks)), None)
    if keyword is None:
        return
    closed = all(output.detach for output in captures.outputs) and not found.open_places
    if len(sinks) > 1 or not closed or _is_used_again(found, captures, analyses):
        raise Refuse("OW201", keyword=keyword)
    kept = KeptGraphs(analyses.bindings, analyses.modules)
    uses = (use for piece in found.pieces for use in analyses.flow.module_uses(piece.node))
    if any(map(kept.may_keep, uses)):
        raise Refuse("OW201", keyword=keyword)


def _is_used_again(found: LossSlice, captures: Captures, analyses: Analyses) -> bool:
    """A gradient of the loss flows into something else than this backward."""
    if found.place is None:
        return False
    read = {word for item in captures.inputs for word in re.findall(r"\w+", item.expression)}
    if "." in found.place or found.place in read:
        return True
    tree = analyses.tree
    function = tree.enclosing(found.sink.call)
    own = {found.sink.unit, *found.units}
    return any(
        found.place in analyses.flow.reads(unit.node)
        for node, unit in tree.units.items()
        if isinstance(node, cst.BaseSmallStatement)
        and unit not in own
        and tree.enclosing(node) is function
    )
