"""Functions that a step defines for its loss: `def masked(output): return f(output, mask)`.

The wrapper holds the functions that it finds. One that each step defines anew, which reads values
of its own, would need a wrapper of its own each time; forward defines it instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.aliases import Aliases
from ortwrap.engine.effects.hidden_changes import parameters_of
from ortwrap.engine.effects.liveness import Liveness
from ortwrap.engine.effects.statement import EffectsReader, overlap
from ortwrap.engine.evidence.own_criteria import is_written_out
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import children, descendants
from ortwrap.engine.text.tree import Unit


def with_own_functions(found: LossSlice, theirs: set[Unit], analyses: Analyses) -> LossSlice | None:
    """The slice with the functions that are defined for it alone; None if there are none.

    Args:
        found: the slice.
        theirs: statements that belong to other losses.
        analyses: of the function that it stands in.
    """
    wider = found
    # What a function calls is defined before it.
    for unit in reversed(found.preparation):
        if unit not in theirs and is_own_function(unit, wider, analyses):
            units = tuple(sorted((*wider.units, unit), key=lambda each: each.index))
            preparation = tuple(other for other in wider.preparation if other is not unit)
            wider = replace(wider, units=units, preparation=preparation)
    return None if wider is found else wider


def is_own_function(unit: Unit, found: LossSlice, analyses: Analyses) -> bool:
    """A function of the step that computes, that only the slice calls, and that runs no model."""
    function = unit.node
    if not isinstance(function, cst.FunctionDef):
        return False
    modules = analyses.modules
    effects = analyses.reader.of(function)
    readers = [node for nodes in effects.reads.values() for node in nodes]
    runs = bool(analyses.helpers.held_modules(function)) or any(
        modules.is_trainable(node)
        or (isinstance(node, cst.BaseExpression) and modules.holds_modules(node))
        for node in readers
    )
    return (
        # Forward finds what the script itself defines.
        unit.block.owner is not analyses.tree.module
        and _is_plain(function, analyses.bindings)
        and effects.changes == {function.name.value}
        and not runs
        and not _changes_what_it_is_given(function, analyses)
        and _is_only_called_by(found, unit, analyses)
        and not _changes_before_the_loss(unit, found, analyses)
    )


def liveness_behind(found: LossSlice, liveness: Liveness) -> Liveness:
    """What is still needed once the functions of a slice are gone with what only they read."""
    functions = [unit for unit in found.units if isinstance(unit.node, cst.FunctionDef)]
    return liveness.without(functions) if functions else liveness


def names_inside(node: cst.CSTNode, bindings: Bindings) -> set[str]:
    """The parameters and locals of a function that a piece defines."""
    return set(bindings.scope(node).names) if isinstance(node, cst.FunctionDef) else set()


def _is_plain(function: cst.FunctionDef, bindings: Bindings) -> bool:
    """Its definition runs nothing, and all that it is called with is given or written out."""
    params = function.params
    stars = (params.star_arg, params.star_kwarg)
    plain = (*params.posonly_params, *params.params, *params.kwonly_params)
    starred = [star for star in stars if isinstance(star, cst.Param)]
    scope = bindings.scope(function)
    annotated = (param.annotation for param in (*plain, *starred))
    return (
        function.asynchronous is None
        and not function.decorators
        and not (scope.declared_global or scope.declared_nonlocal)
        and all(param.default is None or is_written_out(param.default) for param in plain)
        and not any(_reads_a_local(each, bindings) for each in (*annotated, function.returns))
    )


def _reads_a_local(annotation: cst.Annotation | None, bindings: Bindings) -> bool:
    if annotation is None:
        return False
    owners = (bindings.resolve(node) for node in _names(annotation))
    return any(owner is not None and not owner.is_module for owner in owners)


def _names(node: cst.CSTNode) -> Iterator[cst.Name]:
    if isinstance(node, cst.Name):
        yield node
    elif isinstance(node, cst.Attribute):
        yield from _names(node.value)
    else:
        for child in children(node):
            yield from _names(child)


def _changes_what_it_is_given(function: cst.FunctionDef, analyses: Analyses) -> bool:
    """It writes in place to an argument, or to what it reads from around it."""
    reader = EffectsReader(analyses.bindings, function)
    effects = reader.of(function.body)
    inner = analyses.helpers.callees.changes(function.body, reader, surely=True)
    changed = effects.mutates | inner.places
    made_inside = set(analyses.bindings.scope(function).names) - {*parameters_of(function)}
    return not Aliases(reader, function).closure(changed) <= made_inside


def _is_only_called_by(found: LossSlice, unit: Unit, analyses: Analyses) -> bool:
    """Pieces behind it call the function, and nothing else knows of it."""
    tree, bindings = analyses.tree, analyses.bindings
    function = cst.ensure_type(unit.node, cst.FunctionDef)
    around = tree.enclosing(function)
    body = around if isinstance(around, cst.Module) else around.body
    home = bindings.scope(around)
    name = function.name.value
    if [bound.node for bound in home.names[name]] != [function]:
        return False
    if analyses.reader.of(body).reads_everything:
        return False
    behind = (piece for piece in found.pieces if piece.index > unit.index)
    inside = {node for piece in behind for node in descendants(piece.node)}
    uses = [
        node
        for node in tree.names
        if node.value == name and node is not function.name and bindings.resolve(node) is home
    ]
    return all(node in inside and _is_called(node, analyses) for node in uses)


def _is_called(name: cst.Name, analyses: Analyses) -> bool:
    call = analyses.tree.parents[name]
    return isinstance(call, cst.Call) and call.func is name


def _changes_before_the_loss(unit: Unit, found: LossSlice, analyses: Analyses) -> bool:
    """What it reads has other values once it is called."""
    callees = analyses.helpers.callees
    read = analyses.aliases.closure(set(analyses.reader.of(unit.node).reads))
    for later in found.block.units[unit.index + 1 : found.end]:
        hidden = callees.changes(later.node, analyses.reader, surely=True).places
        if overlap(analyses.reader.of(later.node).changes | hidden, read):
            return True
    return False
