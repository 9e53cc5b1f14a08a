"""A step whose last statements stay outside: the graph ends where the loss is known, not reduced.

Where something stands between the loss and what is made of it (the loss of each sample is logged,
then averaged; a term is added if it is large enough), forward gives back the former. The rest runs
as it ever did, and its gradients reach the graph through what forward returns.
"""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.statement import overlap
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import calls_in, descendants
from ortwrap.engine.text.tree import Unit

# What is wrong with one statement only, so that the statements above it may go without it.
_OF_ONE_STATEMENT = frozenset("OW105 OW203 OW204 OW211 OW301 OW304 OW305".split())
_GRADIENTS = ("torch.autograd.", "torch.func.")


def cut(found: LossSlice, refusal: Refuse, analyses: Analyses) -> LossSlice | None:
    """The slice up to the statement that a refusal speaks of; None if no loss is known there."""
    at = _index_of(refusal, found, analyses)
    return None if at is None else until(at, found, analyses)


def until(at: int, found: LossSlice, analyses: Analyses) -> LossSlice | None:
    """The slice's statements before the one at an index; None if no loss is known there."""
    head = tuple(unit for unit in found.units if unit.index < at)
    tail = tuple(piece for piece in found.pieces if piece.index >= at)
    if not head or not tail or any(_is_tied(piece, analyses) for piece in tail):
        return None
    changed = set().union(*(analyses.reader.of(unit.node).changes for unit in head))
    taken = set().union(*(analyses.flow.reads(piece.node) for piece in tail))
    open_places = overlap(changed, taken) & _reached(head, analyses)
    place = _loss_among(open_places, head, found, analyses)
    if place is None or not all(_is_read_as_a_value(place, piece, analyses) for piece in tail):
        return None
    return replace(
        found,
        place=place,
        inline=False,
        units=head,
        preparation=tuple(unit for unit in found.preparation if unit.index < at),
        end=at,
        open_places=frozenset(open_places),
    )


def _index_of(refusal: Refuse, found: LossSlice, analyses: Analyses) -> int | None:
    """Where the statement that a refusal speaks of stands in the slice's block."""
    node = refusal.node
    if refusal.page.code not in _OF_ONE_STATEMENT or node is None:
        return None
    if node is found.loss or node in set(descendants(found.loss)):
        return found.end if found.inline else None
    unit: Unit | None = analyses.tree.unit_of(node)
    while unit is not None and unit.block is not found.block:
        unit = analyses.tree.parent_unit(unit)
    return None if unit is None else unit.index


def _reached(head: tuple[Unit, ...], analyses: Analyses) -> set[str]:
    """Places that hold what a module computed: a sum that still is 0 is no loss."""
    places: set[str] = set()
    for unit in head:
        reads = analyses.flow.reads(unit.node)
        if analyses.flow.module_uses(unit.node) or overlap(reads, places):
            places |= analyses.reader.of(unit.node).changes
    return places


def _is_tied(piece: Unit, analyses: Analyses) -> bool:
    """The statement runs a module, or code that may take gradients of its own."""
    if analyses.flow.runs_module(piece.node):
        return True
    for call in calls_in(piece.node):
        qualified = analyses.bindings.qualified(call.func)
        if qualified is not None and not qualified.startswith(("torch.", "math.", "numpy.")):
            return True
        if qualified is not None and qualified.startswith(_GRADIENTS):
            return True
        if any(analyses.modules.is_trainable(argument.value) for argument in call.args):
            return True
    return False


def _loss_among(
    places: set[str], head: tuple[Unit, ...], found: LossSlice, analyses: Analyses
) -> str | None:
    """Of what the rest goes back through, the place that holds a loss."""
    if found.place in places:
        return found.place
    named = [place for place in places if "loss" in place.lower()]
    if len(named) != 1:
        named = sorted(places) if len(places) == 1 else []
    computed = any(
        _computes_a_loss(call, analyses) for unit in head for call in calls_in(unit.node)
    )
    return named[0] if named and (computed or "loss" in named[0].lower()) else None


def _computes_a_loss(call: cst.Call, analyses: Analyses) -> bool:
    qualified = analyses.bindings.qualified(call.func) or ""
    functional = qualified.startswith("torch.nn.functional.")
    by_function = functional and ("loss" in qualified or "entropy" in qualified)
    return by_function or analyses.modules.is_criterion(call.func)


def _is_read_as_a_value(place: str, piece: Unit, analyses: Analyses) -> bool:
    """Nothing picks a field of it: an output object cannot come out of a graph."""
    for node in analyses.reader.of(piece.node).reads.get(place, []):
        parent = analyses.tree.parents.get(node)
        if isinstance(parent, cst.Attribute) and parent.value is node:
            call = analyses.tree.parents.get(parent)
            if not (isinstance(call, cst.Call) and call.func is parent):
                return False
    return True
