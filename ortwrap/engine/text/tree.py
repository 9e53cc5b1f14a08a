"""A parsed script: LibCST nodes, where they stand, and the blocks of statements they form."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Union

import libcst as cst

from ortwrap.engine.result import InvalidSource
from ortwrap.engine.text.nodes import children
from ortwrap.engine.text.positions import Span, spans_of

Compound = cst.BaseCompoundStatement
Statement = Union[cst.BaseSmallStatement, cst.BaseCompoundStatement]
FunctionLike = Union[cst.FunctionDef, cst.Module]

_ASSIGNMENTS = (cst.Assign, cst.AnnAssign, cst.AugAssign, cst.NamedExpr)
_SUITES = (cst.Module, cst.IndentedBlock, cst.SimpleStatementSuite)
_BRIEF = 60
_NEWLINE = re.compile(r"\r\n|\n|\r")


@dataclass(eq=False)
class Block:
    """The statements of one suite, small statements on one line taken apart.

    Attributes:
        owner: the compound statement, function, class, clause or module it belongs to.
        units: its statements in order.
    """

    owner: cst.CSTNode
    units: list[Unit] = field(default_factory=list)


@dataclass(eq=False)
class Unit:
    """One statement at its place in a block, or an expression that is treated like one."""

    node: Statement | cst.BaseExpression
    block: Block
    index: int
    shares_line: bool = False


class SourceTree:
    """The tree of one script with the metadata that the engine asks for.

    Args:
        text: the script.
        lines: of a script that was rearranged, which line of the user's each of its lines is.

    Raises:
        InvalidSource: the text cannot be parsed.
    """

    def __init__(self, text: str, lines: Sequence[int] = ()) -> None:
        self.text = text
        self._told = lines
        try:
            self.module = cst.parse_module(text)
        except cst.ParserSyntaxError as error:
            raise InvalidSource(error.message, error.raw_line, error.raw_column + 1) from error
        self._spans = spans_of(self.module, text)
        self._line_starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
        self._codes: dict[cst.CSTNode, str] = {}
        self._enclosing: dict[cst.CSTNode, FunctionLike] = {}
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.units: dict[cst.CSTNode, Unit] = {}
        self.comments: list[tuple[Span, str]] = []
        self.calls: list[cst.Call] = []
        self.assignments: list[cst.CSTNode] = []
        self.functions: list[cst.FunctionDef] = []
        self.classes: list[cst.ClassDef] = []
        self._blocks: dict[cst.CSTNode, list[Block]] = {}
        self._index(self.module)

    @property
    def newline(self) -> str:
        return self.module.default_newline

    @cached_property
    def indent(self) -> str:
        """By how much most blocks of the script are indented; the first may be another."""
        first = self.module.default_indent
        blocks = (node for node in self.parents if isinstance(node, cst.IndentedBlock))
        counts = Counter(first if block.indent is None else block.indent for block in blocks)
        return counts.most_common(1)[0][0] if counts else first

    def span(self, node: cst.CSTNode) -> Span:
        """Offsets of a node without the parentheses, whitespace and comments around it."""
        return Span(*self._spans[node])

    def holds(self, node: cst.CSTNode, other: cst.CSTNode) -> bool:
        """The other node starts inside of the first."""
        start, end = self._spans[node]
        return start <= self._spans[other][0] < end

    def line(self, node: cst.CSTNode) -> int:
        """1-based line on which a node starts."""
        return self.line_at(self._spans[node][0])

    def end_line(self, node: cst.CSTNode) -> int:
        return self.line_at(self._spans[node][1])

    def line_start(self, line: int) -> int:
        """Offset of the first character of a 1-based line, or the end of the text."""
        return self._line_starts[line - 1] if line <= len(self._line_starts) else len(self.text)

    def line_at(self, offset: int) -> int:
        """The 1-based line that holds an offset of the text."""
        return bisect_right(self._line_starts, offset)

    def told(self, line: int) -> int:
        """The number that people know a line by."""
        return self._told[line - 1] if self._told else line

    def line_text(self, line: int) -> str:
        return self.text[self.line_start(line) : self.line_start(line + 1)]

    def code(self, node: cst.CSTNode) -> str:
        """The text of a node on one line, to compare and to show."""
        known = self._codes.get(node)
        if known is None:
            known = self._codes[node] = " ".join(self.module.code_for_node(node).split())
        return known

    def bare(self, node: cst.BaseExpression) -> str:
        """The same without parentheses around it."""
        code, around = self.code(node), len(node.lpar)
        return code[around : len(code) - around]

    def brief(self, node: cst.CSTNode) -> str:
        """The same for a message: what is long, or a block of statements, ends in dots."""
        text = self.code(node)
        if isinstance(node, cst.BaseCompoundStatement):
            lines = map(str.strip, self.module.code_for_node(node).split("\n"))
            text = next(line for line in lines if line and not line.startswith("#"))
        elif len(text) <= _BRIEF:
            return text
        cut = text if len(text) <= _BRIEF else text[:_BRIEF].rpartition(" ")[0] or text[:_BRIEF]
        return f"{cut} ..."

    def source(self, node: cst.CSTNode) -> str:
        """The text of a node as it stands, to be written elsewhere between parentheses."""
        span = self.span(node)
        return self.text[span.start : span.end]

    def with_newlines(self, text: str) -> str:
        """A text with the newlines that the script has."""
        return _NEWLINE.sub(lambda match: self.newline, text)

    def is_comment_line(self, line: int) -> bool:
        """The line holds a comment and nothing else."""
        return line in self._comment_lines

    @cached_property
    def names(self) -> list[cst.Name]:
        """Every name in code but those in imports, which are names of files and their parts."""
        found: list[cst.Name] = []
        stack: list[cst.CSTNode] = [self.module]
        while stack:
            node = stack.pop()
            if type(node) is cst.Name:
                found.append(node)
            elif type(node) not in (cst.Import, cst.ImportFrom):
                stack.extend(children(node))
        return found

    @cached_property
    def function_names(self) -> frozenset[str]:
        """What the functions and methods are called."""
        return frozenset(function.name.value for function in self.functions)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The parents of a node, innermost first."""
        parent = self.parents.get(node)
        while parent is not None:
            yield parent
            parent = self.parents.get(parent)

    def unit_of(self, node: cst.CSTNode) -> Unit:
        """The innermost statement that a node is part of."""
        unit = self.units.get(node)
        while unit is None:
            node = self.parents[node]
            unit = self.units.get(node)
        return unit

    def parent_unit(self, unit: Unit) -> Unit | None:
        """The compound statement that a statement's block belongs to, within its function."""
        owner = unit.block.owner
        while not isinstance(owner, (cst.Module, cst.FunctionDef, cst.ClassDef)):
            if owner in self.units and not isinstance(self.parents[owner], (cst.If, cst.Else)):
                return self.units[owner]
            owner = self.parents[owner]
        return None

    def tried_before(self, unit: Unit) -> Block | None:
        """The body of a `try` whose `else` a statement stands in: all of it has run by then."""
        owner = unit.block.owner
        around = self.parents.get(owner) if isinstance(owner, cst.Else) else None
        return self.blocks(around)[0] if isinstance(around, (cst.Try, cst.TryStar)) else None

    def blocks(self, compound: cst.CSTNode) -> list[Block]:
        """The suites of a compound statement, function or module, the body first."""
        return self._blocks.get(compound, [])

    def enclosing(self, node: cst.CSTNode) -> FunctionLike:
        """The function whose body a node runs in, or the module."""
        known = self._enclosing.get(node)
        if known is None:
            around = (each for each in self.ancestors(node) if isinstance(each, cst.FunctionDef))
            known = self._enclosing[node] = next(around, self.module)
        return known

    def loops_around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The loops of its own function that a node stands in, innermost first."""
        function = self.enclosing(node)
        for around in self.ancestors(node):
            if around is function:
                return
            if isinstance(around, (cst.For, cst.While)):
                yield around

    def is_in_a_loop(self, node: cst.CSTNode) -> bool:
        """A loop of the same function runs it again and again."""
        return any(True for _ in self.loops_around(node))

    def is_optional(self, node: cst.CSTNode) -> bool:
        """It stands in a branch, such as `if torch.cuda.device_count() > 1:`."""
        for ancestor in self.ancestors(node):
            test = ancestor.test if isinstance(ancestor, (cst.If, cst.IfExp)) else None
            if test is not None and "__name__" not in self.code(test):
                return True
            if isinstance(ancestor, cst.FunctionDef):
                return False
        return False

    def enclosing_class(self, function: cst.CSTNode) -> cst.ClassDef | None:
        """The class that a function is a method of."""
        for ancestor in self.ancestors(function):
            if isinstance(ancestor, cst.ClassDef):
                return ancestor
            if isinstance(ancestor, (cst.FunctionDef, cst.Module)):
                return None
        return None

    def qualified_function(self, node: cst.CSTNode) -> str | None:
        """Dotted name of the function that a node runs in, None at module level."""
        names = [
            ancestor.name.value
            for ancestor in self.ancestors(node)
            if isinstance(ancestor, (cst.FunctionDef, cst.ClassDef))
        ]
        return ".".join(reversed(names)) or None

    def _index(self, root: cst.CSTNode) -> None:
        # By type, since `isinstance` takes its time with abstract classes.
        lists: dict[type, list[Any]] = {
            cst.Call: self.calls,
            cst.FunctionDef: self.functions,
            cst.ClassDef: self.classes,
            **dict.fromkeys(_ASSIGNMENTS, self.assignments),
        }
        stack = [root]
        while stack:
            node = stack.pop()
            kind = type(node)
            if kind in lists:
                lists[kind].append(node)
            elif kind in _SUITES:
                self._index_block(node)
            for child in children(node):
                self.parents[child] = node
                stack.append(child)
        for found in (self.calls, self.assignments, self.functions, self.classes):
            found.sort(key=lambda node: self._spans[node][0])
        for blocks in self._blocks.values():
            # A module may be empty, and has no other block.
            if len(blocks) > 1:
                blocks.sort(key=lambda block: self._spans[block.units[0].node][0])
        self.comments = [
            (self.span(node), node.value) for node in self._spans if type(node) is cst.Comment
        ]
        self.comments.sort(key=lambda comment: comment[0].start)
        self._comment_lines = {
            number
            for number in (self.line_at(span.start) for span, _ in self.comments)
            if self.line_text(number).lstrip().startswith("#")
        }

    def _index_block(self, suite: cst.CSTNode) -> None:
        owner = suite if isinstance(suite, cst.Module) else self.parents[suite]
        block = Block(owner)
        for statement in suite.body:  # type: ignore[attr-defined]
            small = (
                list(statement.body)
                if isinstance(statement, cst.SimpleStatementLine)
                else [statement]
            )
            shares = len(small) > 1 or isinstance(suite, cst.SimpleStatementSuite)
            for node in small:
                unit = Unit(node, block, len(block.units), shares)
                block.units.append(unit)
                self.units[node] = unit
        while True:
            self._blocks.setdefault(owner, []).append(block)
            # Branches and handlers count as suites of the statement that they belong to.
            clause = isinstance(
                owner,
                (cst.Else, cst.ExceptHandler, cst.ExceptStarHandler, cst.Finally, cst.MatchCase),
            )
            parent = self.parents.get(owner)
            if clause or (isinstance(owner, cst.If) and isinstance(parent, cst.If)):
                assert parent is not None
                owner = parent
                continue
            return
