"""Why two losses count as one graph: a statement of both, or a value that one may hand the other.

`p = augment.tune(scores)` after the backward of one loss may give a number, or a tensor that still
hangs on the graph of that loss. What is defined elsewhere does not tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.statement import overlap
from ortwrap.engine.reasons.shared_graph import SharedGraph
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice, Slicer
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree, Unit


def grouped(slices: Mapping[Sink, LossSlice], tree: SourceTree) -> list[list[Sink]]:
    """Sinks whose branches consume one loss make one step."""
    groups: list[list[Sink]] = []
    for sink, found in slices.items():
        for group in groups:
            other = slices[group[0]]
            same_units = other.units == found.units and bool(found.units)
            same_loss = tree.bare(other.loss) == tree.bare(found.loss)
            if (same_units and same_loss) or other.loss is found.loss:
                group.append(sink)
                break
        else:
            groups.append([sink])
    return groups


def upstream_of(sink: Sink, slicer: Slicer) -> set[Unit]:
    """The statements before an update that a loss goes back through, as far as they are known."""
    try:
        return set(slicer.slice(sink).upstream)
    except SharedGraph as shared:
        return set(shared.units)
    except Refuse:
        return set()


def without_shared(found: LossSlice, upstream: Collection[Unit], slicer: Slicer) -> LossSlice:
    """The slice without what another loss goes back through after an update, if it has more.

    `fake = generator(z)` of a step of the discriminator: the generator's loss is computed from it
    later. Left where it is, it is an input, and the graph behind it is there for both.

    Args:
        found: the slice.
        upstream: statements that other losses go back through, with an update between.
        slicer: of the function that the slice stands in.
    """
    shared = frozenset(unit for unit in found.units if unit in upstream)
    return (slicer.without(found, shared) if shared else None) or found


def why_shared(mine: LossSlice, theirs: LossSlice, analyses: Analyses) -> Refuse | None:
    """The refusal of two losses of which one may go back through the other; None if none does."""
    shared = [unit for unit in mine.units if unit in theirs.units or unit in theirs.upstream]
    if not shared:
        return None
    tree, node = analyses.tree, shared[0].node
    if shared[0] not in theirs.units:
        for given, name in _handed_on(mine, theirs, analyses):
            return Refuse(
                "OW209",
                given,
                code=tree.brief(given),
                line=tree.line(given),
                name=name,
                first=tree.brief(mine.loss),
                second=tree.brief(theirs.loss),
            )
    return Refuse("OW202", node, code=tree.brief(node), line=tree.line(node))


def _handed_on(
    mine: LossSlice, theirs: LossSlice, analyses: Analyses
) -> Iterator[tuple[cst.CSTNode, str]]:
    """Statements behind a backward that give a value of its graph to code of another file."""
    tree = analyses.tree
    computed = set().union(*(analyses.reader.of(unit.node).changes for unit in mine.units))
    end = tree.span(mine.sink.call).start
    for unit in (*theirs.upstream, *theirs.preparation, *theirs.units):
        for call in descendants(unit.node) if tree.span(unit.node).start > end else ():
            given = sorted(overlap(analyses.flow.reads(call), computed))
            if given and _is_foreign(call, analyses):
                yield tree.unit_of(call).node, given[0]


def _is_foreign(node: cst.CSTNode, analyses: Analyses) -> bool:
    """A call of what neither this file defines nor torch."""
    if not isinstance(node, cst.Call):
        return False
    func = node.func
    qualified = analyses.bindings.qualified(func) or ""
    known = qualified.startswith("torch.") or analyses.modules.evidence(func) is not None
    method = isinstance(func, cst.Attribute) and not any(
        True for _ in analyses.objects.methods(func)
    )
    return not known and (method or bool(qualified))
