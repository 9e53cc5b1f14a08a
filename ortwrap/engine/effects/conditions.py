"""Conditions that come out alike wherever they stand: what a branch on one binds, another finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader, overlap
from ortwrap.engine.text.nodes import descendants

_OF_NAMES = (
    cst.Name, cst.Attribute, cst.Integer, cst.Float, cst.SimpleString, cst.Comparison,
    cst.ComparisonTarget, cst.BooleanOperation, cst.UnaryOperation,
)  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """What a branch is taken on.

    Attributes:
        code: the source of the expression, without a `not` before it.
        holds: it has to be true, or false.
        roots: places that it reads: as long as none changes it stays what it is.
        owners: the objects whose attributes it reads, as they are written: nor may these change.
    """

    code: str
    holds: bool
    roots: frozenset[str]
    owners: frozenset[str]

    def opposite(self) -> Condition:
        """The condition of the other branch."""
        return replace(self, holds=not self.holds)

    def outlasts(self, changes: set[str], handed: set[str]) -> bool:
        """Asked again it comes out alike, though these places and handed out objects may change."""
        return not overlap(set(self.roots), changes) and handed.isdisjoint(self.owners)


def condition_of(test: cst.BaseExpression, reader: EffectsReader) -> Condition | None:
    """The condition that a test asks for; None if asking twice may give two answers."""
    holds = True
    while isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        test, holds = test.expression, not holds
    if not _asks_names_only(test):
        return None
    bare = test.with_changes(lpar=(), rpar=())
    tree = reader.bindings.tree
    owners = [node.value for node in descendants(test) if isinstance(node, cst.Attribute)]
    return Condition(
        tree.module.code_for_node(bare),
        holds,
        frozenset(reader.of(test).reads),
        frozenset(map(tree.code, owners)),
    )


def _asks_names_only(node: cst.BaseExpression) -> bool:
    parts: list[cst.CSTNode] = [node]
    while parts:
        part = parts.pop()
        if not isinstance(part, _OF_NAMES):
            return False
        parts.extend(_operands(part))
    return True


def _operands(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    if isinstance(node, cst.Attribute):
        return (node.value,)
    if isinstance(node, cst.Comparison):
        return (node.left, *node.comparisons)
    if isinstance(node, cst.ComparisonTarget):
        return (node.comparator,)
    if isinstance(node, cst.BooleanOperation):
        return (node.left, node.right)
    return (node.expression,) if isinstance(node, cst.UnaryOperation) else ()
