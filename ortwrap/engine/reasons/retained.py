"""`loss.backward(retain_graph=True)` where nothing goes back through the graph again.

ORTModule's graph is gone after one backward. Many scripts keep the graph without need: then no
other loss is computed from what forward gave, and no state of a module carries the graph into the
next step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.kept_graphs import Keeping, KeptGraphs
from ortwrap.engine.effects.later_backwards import LaterBackwards
from ortwrap.engine.options import Options
from ortwrap.engine.plan import Captures
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.tree import Block, SourceTree, Unit


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
    sinks: Sequence[Sink],
    found: LossSlice,
    captures: Captures,
    analyses: Analyses,
    options: Options,
) -> None:
    """Look for what may go back through the graph of a step once more.

    Of modules that nothing is known of, the first backward tells the runtime.

    Raises:
        Refuse: backward keeps the graph, and something may.
    """
    keyword = next(filter(None, (keeps_graph(sink.call) for sink in sinks)), None)
    if keyword is None:
        return
    spent = not found.open_places and _one_runs(sinks, analyses.tree)
    if not spent or _is_used_again(sinks, found, captures, analyses):
        raise Refuse("OW201", keyword=keyword)
    graphs = KeptGraphs(analyses.bindings, analyses.modules)
    uses = (use for piece in found.pieces for use in analyses.flow.module_uses(piece.node))
    kept = max(map(graphs.kept_by, uses), default=Keeping.NOTHING)
    if kept is Keeping.A_GRAPH:
        raise Refuse("OW201", keyword=keyword)
    if kept is Keeping.UNKNOWN and options.standalone:
        why = (
            f"a module may keep a part of the graph, which `{keyword}` leaves to a second backward"
        )
        raise Refuse("OW313", why=why)


def _one_runs(sinks: Sequence[Sink], tree: SourceTree) -> bool:
    """Each of them stands in another branch: `if scaler: scaler.scale(loss).backward()`."""
    return all(
        _are_alternatives(first.unit, second.unit, tree)
        for index, first in enumerate(sinks)
        for second in sinks[:index]
    )


def _are_alternatives(first: Unit, second: Unit, tree: SourceTree) -> bool:
    """Two statements stand in different branches of one `if`."""
    branches: dict[cst.CSTNode, Block] = {
        host.node: unit.block
        for unit, host in _with_host(first, tree)
        if isinstance(host.node, cst.If)
    }
    return any(
        branches.get(host.node) not in (None, unit.block) for unit, host in _with_host(second, tree)
    )


def _with_host(unit: Unit, tree: SourceTree) -> Iterator[tuple[Unit, Unit]]:
    """A statement and the one that it stands in, and so on outwards."""
    host = tree.parent_unit(unit)
    while host is not None:
        yield unit, host
        unit, host = host, tree.parent_unit(host)


def _is_used_again(
    sinks: Sequence[Sink], found: LossSlice, captures: Captures, analyses: Analyses
) -> bool:
    """A gradient may be asked of what the step computes, once its own backward has run."""
    places = {output.place for output in captures.outputs if not output.detach}
    if found.place is not None:
        places.add(found.place)
    later = LaterBackwards(found, [sink.unit for sink in sinks], analyses)
    return later.may_reach(places)
