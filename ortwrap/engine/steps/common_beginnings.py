"""The loss that every branch of an `if` begins with: it can as well stand once before it.

    outputs = model(x)                            outputs = model(x)
    if args.steps > 1:                            loss = criterion(outputs, y)
        loss = criterion(outputs, y)              if args.steps > 1:
        (loss / args.steps).backward()                (loss / args.steps).backward()
    else:                                         else:
        loss = criterion(outputs, y)
        loss.backward()                               loss.backward()

Inside of the branches it stands apart from the run of the model. Lines keep their numbers, but for
the two that trade places: the others are emptied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.text.edits import indentation
from ortwrap.engine.text.nodes import descendants, loaded_names, stored_names
from ortwrap.engine.text.tree import SourceTree


@dataclass(frozen=True)
class CommonBeginning:
    """One `if` with the statement that its branches share.

    Attributes:
        line: of the `if`.
        starts: lines of the statement, branch by branch.
    """

    line: int
    starts: tuple[int, ...]

    @property
    def emptied(self) -> tuple[int, ...]:
        """Lines that are empty once it stands before the `if`."""
        return self.starts[1:]


def common_beginnings(tree: SourceTree) -> Iterator[CommonBeginning]:
    """Every `if` of a script whose branches begin with the same assignment of one line."""
    for node in sorted((node for node in tree.units if isinstance(node, cst.If)), key=tree.line):
        starts = list(_starts(node))
        known = [start for start in starts if start is not None]
        alike = len(known) == len(starts) and len({tree.code(start) for start in known}) == 1
        lines = tuple(map(tree.line, known))
        if (
            alike
            and lines[0] == tree.line(node) + 1
            and lines == tuple(map(tree.end_line, known))
            and not any(_may_matter(test, known[0]) for test in _tests(node))
        ):
            yield CommonBeginning(tree.line(node), lines)


def with_starts_before(tree: SourceTree, beginnings: Iterable[CommonBeginning]) -> str:
    """The script with each of these statements once, before its `if`."""
    lines = [tree.line_text(number) for number in range(1, tree.line_at(len(tree.text)) + 1)]
    for beginning in beginnings:
        first = beginning.starts[0]
        head = lines[beginning.line - 1]
        moved = indentation(head) + lines[first - 1].lstrip()
        lines[beginning.line - 1 : first] = [moved, head]
        for number in beginning.emptied:
            content = lines[number - 1]
            lines[number - 1] = content[len(content.rstrip("\r\n")) :]
    return "".join(lines)


def _starts(node: cst.If | cst.Else) -> Iterator[cst.Assign | None]:
    """The first statement of each branch; None for one that cannot move."""
    body = node.body.body if isinstance(node.body, cst.IndentedBlock) else ()
    line = body[0] if len(body) > 1 else None
    yield _assignment(line)
    if isinstance(node, cst.If):
        yield from (None,) if node.orelse is None else _starts(node.orelse)


def _assignment(line: cst.CSTNode | None) -> cst.Assign | None:
    """`loss = criterion(outputs, y)`, alone on its line and with no comment above."""
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) > 1:
        return None
    node = line.body[0]
    commented = any(empty.comment is not None for empty in line.leading_lines)
    calls = isinstance(node, cst.Assign) and isinstance(node.value, cst.Call)
    return cst.ensure_type(node, cst.Assign) if calls and not commented else None


def _tests(node: cst.If) -> Iterator[cst.BaseExpression]:
    yield node.test
    if isinstance(node.orelse, cst.If):
        yield from _tests(node.orelse)


def _may_matter(test: cst.BaseExpression, start: cst.Assign) -> bool:
    """The test runs code, or reads what the statement binds."""
    if any(isinstance(inner, (cst.Call, cst.NamedExpr, cst.Await)) for inner in descendants(test)):
        return True
    return bool(set(loaded_names(test)) & set(stored_names(start)))
