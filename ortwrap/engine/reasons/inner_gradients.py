"""`info["means"].retain_grad()` before the backward, by the step or by a function that it calls.

What forward gives beside the loss comes out of the graph as values of their own: no gradient
arrives at them on its way from the loss.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.aliases import Aliases
from ortwrap.engine.effects.statement import EffectsReader, overlap
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import defined_elsewhere
from ortwrap.engine.reasons.second_order import units_behind
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import calls_in

_ASKS = ("retain_grad", "register_hook")


def check_no_inner_gradient(found: LossSlice, analyses: Analyses) -> None:
    """Look between a model call and its backward.

    Raises:
        Refuse: something there asks for the gradient of what forward computes besides the loss.
    """
    reader, tree = analyses.reader, analyses.tree
    reached = set().union(*(reader.of(piece.node).changes for piece in found.pieces))
    reached.discard(found.place or "")
    for unit in units_behind(found, analyses):
        if tree.span(unit.node).start > tree.span(found.sink.call).start:
            return
        for call in calls_in(unit.node):
            name = _asked_of(call, reached, analyses)
            if name is not None:
                raise Refuse("OW302", call, code=tree.brief(call), name=name)
        if overlap(analyses.flow.reads(unit.node), reached):
            reached |= reader.of(unit.node).writes


def _asked_of(call: cst.Call, reached: set[str], analyses: Analyses) -> str | None:
    """What a call asks the gradient of, as the step names it; None if it asks for none."""
    tree, reader = analyses.tree, analyses.reader
    if _asks(call, reached, reader):
        return tree.code(cst.ensure_type(call.func, cst.Attribute).value)
    for function, bindings in _run_by(call, analyses):
        given = {
            parameter: argument
            for parameter, argument in pair_arguments(function, call)
            if overlap(set(reader.of(argument).reads), reached)
        }
        if given and _asks_inside(function, frozenset(given), bindings, set()):
            return tree.code(next(iter(given.values())))
    return None


def _asks(call: cst.Call, places: set[str], reader: EffectsReader) -> bool:
    func = call.func
    return (
        isinstance(func, cst.Attribute)
        and func.attr.value in _ASKS
        and bool(overlap(set(reader.of(func.value).reads), places))
    )


def _asks_inside(
    function: cst.FunctionDef, parameters: frozenset[str], bindings: Bindings, seen: set[object]
) -> bool:
    """A function asks for a gradient of what it is given, or hands it on to one that does."""
    if (function, parameters) in seen:
        return False
    seen.add((function, parameters))
    reader = EffectsReader(bindings, function)
    places = Aliases(reader, function).closure(set(parameters))
    for call in calls_in(function.body):
        if _asks(call, places, reader):
            return True
        called = bindings.definition(call.func)
        if not isinstance(called, cst.FunctionDef):
            continue
        given = frozenset(
            parameter
            for parameter, argument in pair_arguments(called, call)
            if overlap(set(reader.of(argument).reads), places)
        )
        if given and _asks_inside(called, given, bindings, seen):
            return True
    return False


def _run_by(call: cst.Call, analyses: Analyses) -> Iterator[tuple[cst.FunctionDef, Bindings]]:
    """The functions that a call may run, of this file or another one, with the names of theirs."""
    bindings = analyses.bindings
    for function in analyses.helpers.possible(call.func):
        yield function, bindings
    elsewhere = defined_elsewhere(call.func, bindings)
    if elsewhere is not None and isinstance(elsewhere.node, cst.FunctionDef):
        yield elsewhere.node, elsewhere.file.bindings
    if not isinstance(call.func, cst.Attribute):
        return
    for method, _ in analyses.objects.methods(call.func):
        yield method, bindings
    for made in analyses.objects.made(call.func.value):
        home = defined_elsewhere(made.func, bindings)
        if home is None:
            continue
        for item in home.node.body.body:
            if isinstance(item, cst.FunctionDef) and item.name.value == call.func.attr.value:
                yield item, home.file.bindings
