"""Functions that stand above a loop and read what its rounds bind: each round can define them.

def masked(output): return loss(output, mask)
for image, mask in loader:
    ...
    masked(model(image)).backward()
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.edits import indentation
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.rearranged import Rearranged
from ortwrap.engine.text.tree import SourceTree, Unit


@dataclass(frozen=True)
class FunctionOfRounds:
    """A function, and where the round stands that calls it.

    Attributes:
        line: the first line of its definition.
        end: its last line.
        before: the line of the first statement that calls it.
    """

    line: int
    end: int
    before: int


def functions_of_rounds(tree: SourceTree, bindings: Bindings) -> Iterator[FunctionOfRounds]:
    """Every function of another one that only the rounds of one loop behind it call."""
    for function in tree.functions:
        unit = tree.units.get(function)
        if unit is None or not isinstance(tree.enclosing(function), cst.FunctionDef):
            continue
        first = _first_caller(function, unit, bindings)
        if first is not None and not first.shares_line and _can_be_indented(function, tree):
            yield FunctionOfRounds(
                tree.line(function), tree.end_line(function), tree.line(first.node)
            )


def with_functions_in_rounds(tree: SourceTree, functions: Sequence[FunctionOfRounds]) -> Rearranged:
    """The script with each function right before the statement that calls it first."""
    brought = {each.before: range(each.line, each.end + 1) for each in functions}
    gone = {line for each in functions for line in _lines_of(each, tree)}
    lines: list[int] = []
    texts: list[str] = []
    for number in range(1, tree.line_at(len(tree.text)) + 1):
        inner = indentation(tree.line_text(number))
        for moved in brought.get(number, ()):
            text = tree.line_text(moved)
            outer = indentation(tree.line_text(brought[number].start))
            lines.append(moved)
            texts.append(inner + text[len(outer) :] if text.strip() else text)
        if number not in gone:
            lines.append(number)
            texts.append(tree.line_text(number))
    return Rearranged("".join(texts), tuple(lines))


def _lines_of(function: FunctionOfRounds, tree: SourceTree) -> range:
    """The lines of a function, with one of the empty lines around it."""
    around = map(tree.line_text, (function.line - 1, function.end + 1))
    empty = not any(line.strip() for line in around)
    return range(function.line, function.end + 1 + empty)


def _first_caller(function: cst.FunctionDef, unit: Unit, bindings: Bindings) -> Unit | None:
    """The first of the statements that call it, all of them in one block of a loop behind it."""
    tree = bindings.tree
    around = tree.enclosing(function)
    home = bindings.scope(around)
    name = function.name.value
    if [bound.node for bound in home.names[name]] != [function]:
        return None
    uses = [
        node
        for node in tree.names
        if node.value == name and node is not function.name and bindings.resolve(node) is home
    ]
    callers = [tree.unit_of(use) for use in uses]
    blocks = {caller.block for caller in callers}
    if len(blocks) != 1 or any(tree.enclosing(use) is not around for use in uses):
        return None
    loop = _loop_behind(unit, callers[0], tree)
    reads = set(EffectsReader(bindings, around).of(function).reads)
    if loop is None or reads.isdisjoint(EffectsReader(bindings, around).of(loop.node).writes):
        return None
    return min(callers, key=lambda caller: caller.index)


def _loop_behind(unit: Unit, caller: Unit, tree: SourceTree) -> Unit | None:
    """The loop around a statement that stands behind another one in its block."""
    loop = tree.parent_unit(caller)
    while loop is not None and loop.block is not unit.block:
        loop = tree.parent_unit(loop)
    behind = loop is not None and loop.index > unit.index
    return loop if loop and behind and isinstance(loop.node, (cst.For, cst.While)) else None


def _can_be_indented(function: cst.FunctionDef, tree: SourceTree) -> bool:
    """It has lines of its own, none of which is part of a text."""
    first, last = tree.line(function), tree.end_line(function)
    outer = indentation(tree.line_text(first))
    texts = (cst.SimpleString, cst.FormattedString)
    return (
        tree.line_text(first).lstrip().startswith("def ")
        and not tree.is_comment_line(first - 1)
        and all(
            line.startswith(outer) or not line.strip()
            for line in map(tree.line_text, range(first, last + 1))
        )
        and not any(
            isinstance(node, texts) and "\n" in tree.source(node) for node in descendants(function)
        )
    )
