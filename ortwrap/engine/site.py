"""Where a wrapper is made: once before the loops, and again when its modules are rebuilt."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects import EffectsReader
from ortwrap.engine.plan import Plan
from ortwrap.engine.tree import SourceTree, Unit


@dataclass(frozen=True, eq=False)
class WrapSite:
    """The statement before which the wrapper is made."""

    before: Unit


def find_site(plan: Plan, tree: SourceTree, reader: EffectsReader) -> WrapSite:
    """The outermost place at which every part of the wrapper is known.

    `ort_module` keeps one wrapper per set of modules, so that a site that runs once an epoch
    still exports once.
    """
    places = {part.place for part in plan.captures.parts}
    anchor = plan.order.anchor
    start = plan.found.block.units[min(anchor.index, len(plan.found.block.units) - 1)]
    function = tree.enclosing(start.node)
    if isinstance(function, cst.FunctionDef):
        body = tree.blocks(function)[0]
        if not reader.of(function.body).writes & places:
            return WrapSite(_after_docstring(body.units))
    best = start
    current = tree.parent_unit(start)
    while current is not None:
        if reader.of(current.node).writes & places:
            break
        if isinstance(current.node, (cst.For, cst.While)):
            best = current
        current = tree.parent_unit(current)
    return WrapSite(best)


def _after_docstring(units: list[Unit]) -> Unit:
    first = units[0].node
    is_docstring = isinstance(first, cst.Expr) and isinstance(
        first.value, (cst.SimpleString, cst.ConcatenatedString)
    )
    rest = units[1:] if is_docstring else units
    for unit in rest:
        # `global model` has to come before the name is used.
        if not isinstance(unit.node, (cst.Global, cst.Nonlocal)):
            return unit
    return units[-1]
