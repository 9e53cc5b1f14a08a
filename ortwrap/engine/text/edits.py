"""Text edits: everything outside of them stays as it is, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

import libcst as cst

from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree, Unit

# A line of code that was commented out, and not the first of its block.
_GOES_ON = re.compile(r"#[ \t]{2,}\S")


@dataclass(frozen=True)
class Edit:
    """Replace the text of a span; an empty span inserts before it.

    Attributes:
        start: offset of the first character replaced.
        end: offset behind the last one.
        text: what stands there afterwards.
        rank: of several insertions at one place, the lowest comes first.
        why: what `--explain-diff` says of it.
    """

    start: int
    end: int
    text: str
    rank: int = 0
    why: str = field(default="", compare=False)


def because(why: str, *edits: Edit) -> list[Edit]:
    """The same edits with the reason for them."""
    return [replace(edit, why=why) for edit in edits]


def apply_edits(text: str, edits: list[Edit]) -> str:
    """The text with every edit done; insertions at one place keep their order."""
    pieces: list[str] = []
    position = 0
    for edit in sorted(dict.fromkeys(edits), key=_place):
        pieces += [text[position : edit.start], edit.text]
        position = max(position, edit.end)
    pieces.append(text[position:])
    return "".join(pieces)


def _place(edit: Edit) -> tuple[int, int, int]:
    return (edit.start, edit.end, edit.rank)


def replace_expression(tree: SourceTree, node: cst.BaseExpression, text: str) -> Edit:
    """Replace an expression together with the parentheses around it."""
    first, last = (node.lpar[0], node.rpar[-1]) if node.lpar else (node, node)
    return Edit(tree.span(first).start, tree.span(last).end, text)


def replace_unit(tree: SourceTree, unit: Unit, text: str, moved: Collection[Unit] = ()) -> Edit:
    """Put another statement in the place of one; what follows on its line stays.

    Of a compound statement that is the end of its last inner statement, which moves with its
    comment. So does what stands above a statement in `moved`.
    """
    span = tree.span(unit.node)
    start, end = span.start, span.end
    first, last = tree.line(unit.node), tree.line_at(end)
    if unit in moved:
        start = tree.line_start(_above_comments(tree, first))
        text = indentation(tree.line_text(first)) + text
    rest = tree.text[end : tree.line_start(last + 1)].rstrip("\r\n")
    if isinstance(unit.node, cst.BaseCompoundStatement) or not rest.strip():
        end += len(rest)
    return Edit(start, end, text)


def remove_units(tree: SourceTree, units: list[Unit], moved: set[Unit]) -> list[Edit]:
    """Take statements away, and with those in `moved` the comments above them."""
    edits: list[Edit] = []
    blank_above = False
    end_of_last = 0
    for unit in units:
        beside = _beside(tree, unit)
        first, last = tree.line(unit.node), tree.end_line(beside[-1].node)
        if unit.shares_line and not _is_whole_line(tree, beside, units):
            edits += _remove_from_line(tree, unit, beside, units)
            continue
        if unit is not beside[0]:
            continue
        if unit in moved:
            first = _above_comments(tree, first)
        # Blank lines around what goes would add up, head a block, or part a comment from what it
        # heads.
        if end_of_last != first:
            above = tree.line_text(first - 1).strip() if first > 1 else "-"
            blank_above = not above or above.startswith("#") or unit.index == 0
        following = last + 1
        while blank_above and tree.line_text(following) and not tree.line_text(following).strip():
            following += 1
        edits.append(Edit(tree.line_start(first), tree.line_start(following), ""))
        end_of_last = following
    return edits


def _beside(tree: SourceTree, unit: Unit) -> list[Unit]:
    """The statements of one line, which semicolons part; most statements are alone."""
    if not unit.shares_line:
        return [unit]
    line = tree.parents.get(unit.node)
    return [each for each in unit.block.units if tree.parents.get(each.node) is line]


def _is_whole_line(tree: SourceTree, beside: list[Unit], gone: Collection[Unit]) -> bool:
    """Nothing is left of a line, not even its comment, when these statements go."""
    line = tree.parents.get(beside[0].node)
    if not isinstance(line, cst.SimpleStatementLine) or line.trailing_whitespace.comment:
        return False
    return all(unit in gone for unit in beside)


def _remove_from_line(
    tree: SourceTree, unit: Unit, beside: list[Unit], gone: Collection[Unit]
) -> Iterator[Edit]:
    """Take a statement and those that go behind it out of the line that others share with them."""
    at = beside.index(unit)
    preceding = beside[at - 1] if at else None
    if preceding in gone:
        return
    run = list(takewhile(lambda each: each in gone, beside[at:]))
    start, end = tree.span(unit.node).start, tree.span(run[-1].node).end
    if at + len(run) < len(beside):
        yield Edit(start, tree.span(beside[at + len(run)].node).start, "")
    elif preceding is not None:
        yield Edit(tree.span(preceding.node).end, end, "")
    elif any(each not in gone for each in unit.block.units):
        # Only a comment is left of the line.
        rest = tree.text[end : tree.line_start(tree.line_at(end) + 1)]
        yield Edit(start, end + len(rest) - len(rest.lstrip()), "")
    else:
        yield Edit(start, end, "pass")


def insert_before(tree: SourceTree, unit: Unit, lines: list[str]) -> Edit:
    """Insert statements before one, above the comments that belong to it."""
    span = tree.span(unit.node)
    line_start = tree.line_start(tree.line(unit.node))
    if unit.shares_line and tree.text[line_start : span.start].strip():
        return Edit(span.start, span.start, "".join(f"{line}; " for line in lines))
    line = _first_line(tree, unit.node)
    start = tree.line_start(line)
    indent = indentation(tree.line_text(line))
    line = _above_comments(tree, line)
    start = tree.line_start(line)
    text = "".join(f"{indent}{item}{tree.newline}" for item in lines)
    return Edit(start, start, text, rank=2)


def part_from_heading(tree: SourceTree, unit: Unit) -> Iterator[Edit]:
    """Blank lines below what is inserted before a statement that a comment of its own heads.

    Where one stands above that comment, what is inserted would seem to be what it speaks of. A
    definition has them at any rate.
    """
    line = _first_line(tree, unit.node)
    heading = _above_comments(tree, line)
    apart = heading > 1 and not tree.line_text(heading - 1).strip()
    defines = isinstance(unit.node, (cst.FunctionDef, cst.ClassDef))
    if (defines or (heading < line and apart)) and not unit.shares_line:
        start = tree.line_start(heading)
        count = 2 if defines and unit.block.owner is tree.module else 1
        yield Edit(start, start, tree.newline * count, rank=3)


def insert_classes(tree: SourceTree, classes: Mapping[Unit, Sequence[str]]) -> Iterator[Edit]:
    """Insert classes before statements of the module, two blank lines around each."""
    behind: dict[int, list[str]] = {}
    for unit, codes in classes.items():
        start = _behind_definitions(tree, unit)
        if start is None:
            yield _insert_above(tree, unit, codes)
        else:
            behind.setdefault(start, []).extend(codes)
    for start, codes in behind.items():
        text = "".join(f"\n\n{code}" for code in codes)
        text += "\n" * max(0, 2 - _blank_lines_from(tree, start))
        yield Edit(start, start, tree.with_newlines(text), rank=1)


def _insert_above(tree: SourceTree, unit: Unit, classes: Sequence[str]) -> Edit:
    line = _above_banner(tree, _above_comments(tree, _first_line(tree, unit.node)))
    if unit.index == 0:
        # What heads the script stays above the imports that come first now.
        line = _first_line(tree, unit.node)
    start = tree.line_start(line)
    blank = 0
    while line - blank > 1 and not tree.line_text(line - blank - 1).strip():
        blank += 1
    before = "\n" * (2 if unit.index == 0 else max(0, 2 - blank))
    text = before + "".join(f"{code}\n\n" for code in classes)
    return Edit(start, start, tree.with_newlines(text), rank=1)


def insert_import(tree: SourceTree, statement: str, before: Unit) -> Edit:
    """Insert an import behind the last import above `before`."""
    last: Unit | None = None
    header, torch_is_there = True, False
    for unit in tree.blocks(tree.module)[0].units[: before.index]:
        if isinstance(unit.node, (cst.Import, cst.ImportFrom)):
            # What stands above the first import of torch may be there to configure it.
            of_torch = "torch" in tree.code(unit.node)
            torch_is_there |= of_torch
            if header or of_torch:
                last = unit
        elif not torch_is_there and _tries_torch(unit.node, tree):
            last, torch_is_there = unit, True
        elif last is not None and not _may_stand_among_imports(unit.node):
            header = False
    if last is None:
        return _insert_first(tree, statement)
    start = tree.line_start(tree.end_line(last.node) + 1)
    apart = isinstance(last.node, cst.Try) or not tree.text[:start].endswith(("\n", "\r"))
    newline = tree.newline if apart else ""
    return Edit(start, start, f"{newline}{statement}{tree.newline}")


def _tries_torch(node: cst.CSTNode, tree: SourceTree) -> bool:
    """`try: import torch`, which may end the script with a message of its own."""
    return isinstance(node, cst.Try) and any(
        isinstance(inner, (cst.Import, cst.ImportFrom)) and "torch" in tree.code(inner)
        for inner in descendants(node.body)
    )


def _insert_first(tree: SourceTree, statement: str) -> Edit:
    """No import stands above: behind the docstring, or first of all."""
    units = tree.blocks(tree.module)[0].units
    if units and _is_docstring(units[0].node):
        start = tree.line_start(tree.end_line(units[0].node) + 1)
        return Edit(start, start, f"{tree.newline}{statement}{tree.newline}")
    start = tree.line_start(_first_line(tree, units[0].node))
    return Edit(start, start, f"{statement}{tree.newline}")


def _is_docstring(node: object) -> bool:
    return isinstance(node, cst.Expr) and isinstance(
        node.value, (cst.SimpleString, cst.ConcatenatedString)
    )


def _may_stand_among_imports(node: object) -> bool:
    return isinstance(node, (cst.Try, cst.If, cst.Expr, cst.With)) or _is_docstring(node)


def _first_line(tree: SourceTree, node: cst.CSTNode) -> int:
    line = tree.line(node)
    if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
        line = min([line, *(tree.line(item) for item in node.decorators)])
    return line


def _above_comments(tree: SourceTree, line: int) -> int:
    """The line above which to insert so that comments stay with what they describe."""
    while line > 1 and tree.is_comment_line(line - 1):
        line -= 1
    return line


def _behind_definitions(tree: SourceTree, unit: Unit) -> int | None:
    """For a step outside of functions: behind the last definition or import above it."""
    definitions = (cst.FunctionDef, cst.ClassDef, cst.Import, cst.ImportFrom)
    if isinstance(unit.node, definitions):
        return None
    for above in reversed(unit.block.units[: unit.index]):
        if isinstance(above.node, definitions):
            if above.shares_line:
                return None
            start = tree.line_start(tree.end_line(above.node) + 1)
            return start if tree.text[:start].endswith(("\n", "\r")) else None
    return None


def _blank_lines_from(tree: SourceTree, start: int) -> int:
    rest = tree.text[start:].splitlines()
    return next((count for count, line in enumerate(rest) if line.strip()), 2)


def _above_banner(tree: SourceTree, line: int) -> int:
    """Above a block of comments that stands by itself and heads what follows."""
    above = _above_blank_lines(tree, line)
    top = _above_comments(tree, above)
    while top < above and _GOES_ON.match(tree.line_text(top)):
        further = _above_comments(tree, _above_blank_lines(tree, top))
        if not tree.is_comment_line(further) or further == top:
            break
        top = further
    stands_alone = top < above and (top == 1 or not tree.line_text(top - 1).strip())
    at_margin = tree.line_text(top).startswith("#")
    return top if stands_alone and at_margin and above < line and top > 1 else line


def _above_blank_lines(tree: SourceTree, line: int) -> int:
    while line > 1 and not tree.line_text(line - 1).strip():
        line -= 1
    return line


def indentation(line: str) -> str:
    """The whitespace that a line starts with."""
    return line[: len(line) - len(line.lstrip(" \t"))]
