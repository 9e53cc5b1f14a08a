"""Gradients taken on the way to the loss, or of what the step has computed besides its backward."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.run_by import Code, code_behind
from ortwrap.engine.effects.statement import overlap
from ortwrap.engine.names.reachable import reachable_calls
from ortwrap.engine.reasons.taken_gradients import takes_a_gradient
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import calls_in
from ortwrap.engine.text.tree import Unit

_ENDS = ("outputs", "inputs")
# Functions of other files that are known by this name take a gradient of what they are given.
_NAMED_FOR_IT = re.compile(
    r"(?i:gradient|grad|r1|r2)_?(?i:penalty)$|path_(?:length_)?regulari[sz]"
    r"|(?:^|\.)[a-z]\w*(?:_gp|GP)$"
)


def check_first_order(found: LossSlice, analyses: Analyses) -> None:
    """Look through a slice and the code that it runs, of this file and of others.

    Raises:
        Refuse: the loss depends on a gradient.
    """
    for piece in found.pieces:
        for call in reachable_calls(piece.node, analyses):
            named_for_it = _NAMED_FOR_IT.search(analyses.bindings.qualified(call.func) or "")
            if named_for_it or takes_a_gradient(call, analyses.bindings, analyses.modules):
                raise Refuse("OW205", call, code=analyses.tree.brief(call))
        for code in code_behind(Code(piece.node, analyses.bindings, analyses.modules)):
            for call in calls_in(code.node):
                if takes_a_gradient(call, code.bindings, code.modules):
                    refusal = Refuse("OW205", call, code=code.bindings.tree.brief(call))
                    if code.file is not None:
                        refusal = refusal.seen_from(piece.node, code.file.place(call))
                    raise refusal


def check_graph_is_left_alone(found: LossSlice, analyses: Analyses) -> None:
    """Look behind a slice for `torch.autograd.grad(q, actions)` of what it computes.

    Of a lifted step only the loss and its inputs hang together in a graph, for one backward.

    Raises:
        Refuse: some statement goes back through the step's graph.
    """
    reader = analyses.reader
    inside = set().union(*(reader.of(piece.node).changes for piece in found.pieces))
    reached, later = set(inside), set[str]()
    for unit in units_behind(found, analyses):
        for call in _gradient_calls(unit.node, analyses):
            outputs, inputs = (set(reader.of(part.value).reads) for part in _ends(call))
            if overlap(outputs, reached) and not inputs <= later:
                raise Refuse("OW210", call, code=analyses.tree.brief(call))
        effects = reader.of(unit.node)
        later |= effects.writes
        if overlap(analyses.flow.reads(unit.node), reached):
            reached |= effects.changes
        elif unit.block is found.block:
            reached -= effects.writes - effects.mutates


def units_behind(found: LossSlice, analyses: Analyses) -> Iterator[Unit]:
    """The small statements of the function that stand behind the first of the slice."""
    tree, pieces = analyses.tree, {piece.node for piece in found.pieces}
    start = tree.span(found.pieces[0].node).start
    function = tree.enclosing(found.sink.call)
    for node in sorted(tree.units, key=lambda node: tree.span(node).start):
        small = isinstance(node, cst.BaseSmallStatement) and tree.enclosing(node) is function
        if (
            small
            and tree.span(node).start > start
            and pieces.isdisjoint((node, *tree.ancestors(node)))
        ):
            yield tree.units[node]


def _gradient_calls(node: cst.CSTNode, analyses: Analyses) -> Iterator[cst.Call]:
    """`torch.autograd.grad` with what it takes the gradient of and by."""
    for call in calls_in(node):
        takes = takes_a_gradient(call, analyses.bindings, analyses.modules)
        if takes and len(_ends(call)) == len(_ENDS):
            yield call


def _ends(call: cst.Call) -> list[cst.Arg]:
    """The arguments `outputs` and `inputs`, in this order."""
    named = {item.keyword.value: item for item in call.args if item.keyword is not None}
    positional = [item for item in call.args if item.keyword is None]
    found = [*positional[: len(_ENDS)], *(named[name] for name in _ENDS if name in named)]
    return found
