"""Statements that model or loss may not pass: all of them are named, not the first alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.tree import SourceTree, Unit


@dataclass(frozen=True, eq=False)
class Hindrance:
    """One such statement, and what the order could change."""

    unit: Unit
    why: str


def refusal_for(hindrances: Sequence[Hindrance], tree: SourceTree) -> Refuse:
    """The refusal at the first, which says what would be in the way if that were moved.

    Args:
        hindrances: in the order in which they stand, at least one.
        tree: the script.
    """
    first, *others = hindrances
    refusal = Refuse("OW203", first.unit.node, code=tree.brief(first.unit.node), why=first.why)
    whys = {tree.line(each.unit.node): each.why for each in reversed(others)}
    lines = sorted(whys.keys() - {tree.line(first.unit.node)})
    if len(lines) == 1:
        refusal.advice += f" Line {lines[0]} stands in the way as well: {whys[lines[0]]}."
    elif lines:
        *most, last = map(str, lines)
        refusal.advice += f" Lines {', '.join(most)} and {last} stand in the way as well."
    return refusal
