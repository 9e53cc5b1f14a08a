"""Criteria that a step makes for its batch: `nn.CrossEntropyLoss(weight=weights_of(y))`.

The wrapper holds the criteria that it finds. One that each step makes anew, with values of its own,
would need a wrapper of its own each time; forward makes it instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.aliases import Aliases
from ortwrap.engine.effects.statement import overlap
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import Unit


def with_own_criteria(found: LossSlice, analyses: Analyses) -> LossSlice:
    """The slice with the statements that make a criterion for it alone."""
    made = [unit for unit in found.preparation if _makes_criterion(unit, found, analyses)]
    if not made:
        return found
    units = tuple(sorted((*found.units, *made), key=lambda unit: unit.index))
    preparation = tuple(unit for unit in found.preparation if unit not in made)
    return replace(found, units=units, preparation=preparation)


def _makes_criterion(unit: Unit, found: LossSlice, analyses: Analyses) -> bool:
    node = unit.node
    if not isinstance(node, cst.Assign) or len(node.targets) != 1:
        return False
    target, value = node.targets[0].target, node.value
    if not isinstance(target, cst.Name) or not isinstance(value, cst.Call):
        return False
    made = analyses.bindings.qualified(value.func) or ""
    of_torch = made.startswith("torch.nn.") and analyses.modules.is_criterion(target)
    alone = of_torch and _is_of_the_batch(value) and is_only_read_by(found, target, analyses)
    return alone and not _changes_before_the_loss(unit, found, analyses)


def _changes_before_the_loss(unit: Unit, found: LossSlice, analyses: Analyses) -> bool:
    """What the criterion was given is written to while it holds it."""
    function = analyses.tree.enclosing(found.sink.call)
    given = Aliases(analyses.reader, function).closure(set(analyses.reader.of(unit.node).reads))
    later = found.block.units[unit.index + 1 : found.end]
    return any(overlap(analyses.reader.of(each.node).changes, given) for each in later)


def _is_of_the_batch(made: cst.Call) -> bool:
    """It is given more than options that are written out."""
    return not all(is_written_out(argument.value) for argument in made.args)


def is_written_out(value: cst.BaseExpression) -> bool:
    """A number, a string, True, False or None."""
    if isinstance(value, cst.UnaryOperation):
        value = value.expression
    if isinstance(value, cst.Name):
        return value.value in _CONSTANTS
    return isinstance(value, (cst.Integer, cst.Float, cst.SimpleString))


_CONSTANTS = frozenset(["True", "False", "None"])


def is_only_read_by(found: LossSlice, target: cst.Name, analyses: Analyses) -> bool:
    """Nothing but the slice uses the criterion, and no other statement makes one of that name."""
    bound = analyses.bindings.lookup(target)
    if len(bound) != 1 or bound[0].node is not target:
        return False
    home = analyses.bindings.resolve(target)
    inside = {node for piece in found.pieces for node in descendants(piece.node)}
    return all(
        name in inside or name is target
        for name in _names_in(analyses, found)
        if name.value == target.value and analyses.bindings.resolve(name) is home
    )


def _names_in(analyses: Analyses, found: LossSlice) -> Iterator[cst.Name]:
    function = analyses.tree.enclosing(found.sink.call)
    return (node for node in descendants(function) if isinstance(node, cst.Name))
