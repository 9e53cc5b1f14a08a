"""Criteria that each round of a loop makes alike: the generated class makes them once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.evidence.own_criteria import is_only_read_by, is_written_out
from ortwrap.engine.plan import Constructed, Part, Plan
from ortwrap.engine.text.comments import comments_above
from ortwrap.engine.text.tree import SourceTree, Unit

_NN = "torch.nn."
_MOVES = frozenset(["to", "cuda", "cpu"])


def with_constructed(plan: Plan, analyses: Analyses) -> Plan:
    """The plan, its wrapper made once before the loop and not with each such criterion."""
    made = tuple(_made_alike(plan, analyses))
    if not made:
        return plan
    names = {each.attribute for each in made}
    parts = tuple(part for part in plan.captures.parts if part.name not in names)
    return replace(plan, captures=replace(plan.captures, parts=parts), constructed=made)


def _made_alike(plan: Plan, analyses: Analyses) -> Iterator[Constructed]:
    for part in plan.captures.parts:
        unit = None if part.trainable else _made_in_loop(part, plan, analyses)
        if unit is None:
            continue
        call = _before_moves(cst.ensure_type(unit.node, cst.Assign).value)
        if call is None:
            continue
        kind = (analyses.bindings.qualified(call.func) or "").removeprefix(_NN)
        options = ", ".join(analyses.tree.code(each).rstrip(", ") for each in call.args)
        if kind.isidentifier() and kind.endswith("Loss"):
            yield Constructed(unit, part.name, f"{kind}({options})")


def _made_in_loop(part: Part, plan: Plan, analyses: Analyses) -> Unit | None:
    """The statement that makes a criterion for this step alone, with options written out."""
    tree = analyses.tree
    for node in tree.assignments:
        target = node.targets[0].target if isinstance(node, cst.Assign) else None
        if not isinstance(target, cst.Name) or target.value != part.place:
            continue
        made = _before_moves(cst.ensure_type(node, cst.Assign).value)
        plain = made is not None and all(is_written_out(each.value) for each in made.args)
        here = tree.enclosing(node) is tree.enclosing(plan.sinks[0].call)
        if plain and here and is_only_read_by(plan.found, target, analyses):
            return tree.units[node] if _stands_in_loop(tree.units[node], tree) else None
    return None


def _before_moves(value: cst.BaseExpression) -> cst.Call | None:
    """`nn.MSELoss()` in `nn.MSELoss().to(device)`: with such options it holds no tensor."""
    while (
        isinstance(value, cst.Call)
        and isinstance(value.func, cst.Attribute)
        and value.func.attr.value in _MOVES
    ):
        value = value.func.value
    return value if isinstance(value, cst.Call) else None


def _stands_in_loop(unit: Unit, tree: SourceTree) -> bool:
    """In a line of its own, without a comment that would have no place in the class."""
    line = tree.parents[unit.node]
    if unit.shares_line or not isinstance(line, cst.SimpleStatementLine):
        return False
    if comments_above(line.leading_lines) or line.trailing_whitespace.comment:
        return False
    return isinstance(unit.block.owner, (cst.For, cst.While))
