"""`loss.backward(retain_graph=True)` where nothing goes back through the graph again.

ORTModule's graph is gone after one backward. Many scripts keep the graph without need: then no
other loss is computed from what forward gave, and no state of a module carries the graph into the
next step.
"""

from __future__ import annotations

from collections.abc import Sequence

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.kept_graphs import Keeping, KeptGraphs
from ortwrap.engine.effects.later_backwards import LaterBackwards
from ortwrap.engine.options import Options
from ortwrap.engine.plan import Captures
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.retaining import Retention, one_runs
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice


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
    keyword = next(filter(None, (sink.keeps_graph for sink in sinks)), None)
    if keyword is None:
        return
    spent = not found.open_places and one_runs([s.unit for s in sinks], analyses.tree)
    spent = spent and all(sink.inside is not Retention.FOR_MORE for sink in sinks)
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


def _is_used_again(
    sinks: Sequence[Sink], found: LossSlice, captures: Captures, analyses: Analyses
) -> bool:
    """A gradient may be asked of what the step computes, once its own backward has run."""
    places = {output.place for output in captures.outputs if not output.detach}
    if found.place is not None:
        places.add(found.place)
    later = LaterBackwards(found, [sink.unit for sink in sinks], analyses)
    return later.may_reach(places)
