"""Notes of a loss that every branch of an `if` ends in: they can as well stand once behind it.

    if args.amp:                                  if args.amp:
        with autocast():                              with autocast():
            loss = criterion(model(x), y)                 loss = criterion(model(x), y)
            losses.append(loss.item())
    else:                                         else:
        loss = criterion(model(x), y)                 loss = criterion(model(x), y)
        losses.append(loss.item())                losses.append(loss.item())

Inside of the branches such a note would keep the loss from moving into forward. Lines keep their
numbers: what goes leaves an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.edits import indentation
from ortwrap.engine.text.nodes import calls_in, loaded_names, stored_names
from ortwrap.engine.text.tree import SourceTree

_NOTES = frozenset("append update item detach cpu".split())


@dataclass(frozen=True)
class CommonEnding:
    """One `if` with the note that its branches share.

    Attributes:
        line: of the `if`.
        notes: lines of the note, branch by branch.
    """

    line: int
    notes: tuple[int, ...]

    @property
    def emptied(self) -> tuple[int, ...]:
        """Lines to be taken out: an empty line at the end of a branch may stay."""
        return ()


def common_endings(tree: SourceTree, bindings: Bindings) -> Iterator[CommonEnding]:
    """Every outermost `if` of a script whose branches all bind a loss and end in the same note."""
    below = 0
    branches = (node for node in tree.units if isinstance(node, cst.If))
    for node in sorted(branches, key=tree.line):
        found = list(_endings(node, bindings))
        notes = [note for note in found if note is not None]
        alike = {tree.code(note) for note in notes}
        moves = len(notes) == len(found) and len(alike) == 1 and _is_of_bound(notes[0], node)
        on_one_line = all(tree.line(note) == tree.end_line(note) for note in notes)
        if moves and on_one_line and tree.line(node) > below:
            below = tree.end_line(node)
            yield CommonEnding(tree.line(node), tuple(map(tree.line, notes)))


def with_notes_behind(tree: SourceTree, endings: Iterable[CommonEnding]) -> str:
    """The script with each note once, behind its `if`."""
    lines = [tree.line_text(number) for number in range(1, tree.line_at(len(tree.text)) + 1)]
    for ending in endings:
        *earlier, last = ending.notes
        for number in earlier:
            content = lines[number - 1]
            lines[number - 1] = content[len(content.rstrip("\r\n")) :]
        lines[last - 1] = indentation(lines[ending.line - 1]) + lines[last - 1].lstrip()
    return "".join(lines)


def _endings(
    node: cst.BaseCompoundStatement | cst.Else, bindings: Bindings
) -> Iterator[cst.BaseSmallStatement | None]:
    """The last statement of each branch; None for one that cannot move."""
    body = node.body
    statements = body.body if isinstance(body, cst.IndentedBlock) else ()
    last = statements[-1] if statements else None
    if isinstance(last, (cst.If, cst.With)):
        yield from _endings(last, bindings) if _only_guards(last, bindings) else (None,)
    else:
        yield _note(last, bindings) if len(statements) > 1 else None
    if isinstance(node, cst.If):
        yield from (None,) if node.orelse is None else _endings(node.orelse, bindings)


def _only_guards(node: cst.If | cst.With, bindings: Bindings) -> bool:
    """A branch, or a scope that ends with no effect on numbers: `with autocast():`."""
    if isinstance(node, cst.If):
        return True
    calls = [item.item for item in node.items]
    names = [bindings.qualified(call.func) or "" for call in calls if isinstance(call, cst.Call)]
    return len(names) == len(calls) and all(name.endswith(".autocast") for name in names)


def _note(line: cst.CSTNode | None, bindings: Bindings) -> cst.BaseSmallStatement | None:
    """`losses.append(loss.item())`, `total += loss.item()`, with no comment of its own."""
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    above = any(empty.comment is not None for empty in line.leading_lines)
    node = line.body[0]
    commented = above or line.trailing_whitespace.comment is not None
    if commented or not isinstance(node, (cst.Expr, cst.AugAssign)):
        return None
    calls = list(calls_in(node))
    takes_number = any(_method(call) == "item" for call in calls)
    return node if takes_number and all(_notes(call, bindings) for call in calls) else None


def _notes(call: cst.Call, bindings: Bindings) -> bool:
    func = call.func
    if isinstance(func, cst.Name):
        return func.value in ("len", "float") and bindings.resolve(func) is None
    return _method(call) in _NOTES


def _method(call: cst.Call) -> str:
    return call.func.attr.value if isinstance(call.func, cst.Attribute) else ""


def _is_of_bound(note: cst.CSTNode, branches: cst.If) -> bool:
    """What is noted is known in the branches only."""
    return bool(set(loaded_names(note)) & set(stored_names(branches)))
