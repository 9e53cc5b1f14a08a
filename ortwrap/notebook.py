"""Jupyter notebooks in and out: their code cells are one script to the engine.

Cells, outputs and magics stay; a generated class gets a cell of its own before the one that
uses it. Needs nbformat (`pip install 'ortwrap[notebook]'`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from ortwrap.engine import rewrite_source
from ortwrap.engine.names.neighbours import Neighbours
from ortwrap.engine.options import Options
from ortwrap.engine.result import Change, Result, Step
from ortwrap.engine.text.lines import lines_of
from ortwrap.notebook_file import (
    cell_like,
    put_source,
    read_notebook,
    source_of,
    written_notebook,
)
from ortwrap.outcome import Fault, Outcome
from ortwrap.source import Source

_MARK = "# ortwrap: cell {}"
_MARK_LINE = re.compile(r"^[ \t]*# ortwrap: cell (\d+)\n", re.MULTILINE)
_HIDDEN = "pass  # ortwrap: hidden {}"
_HIDDEN_LINE = re.compile(r"pass  # ortwrap: hidden (\d+)")
_MAGIC = re.compile(r"^[ \t]*(?:[%!?].*|[\w.]+\?{1,2}[ \t]*|[\w, \t]+=[ \t]*[%!].*)$", re.MULTILINE)
# Their body is Python; that of any other cell magic (bash, html, ...) is not.
_PYTHON_CELL_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")


def rewrite_notebook(
    data: bytes, path: str, options: Options, neighbours: Neighbours | None = None
) -> Outcome:
    """Rewrite the bytes of a notebook; lines of steps are counted in their cell."""
    if find_spec("nbformat") is None:
        return Outcome(
            path, fault=Fault("notebooks need nbformat: pip install 'ortwrap[notebook]'")
        )
    try:
        notebook = read_notebook(data)
    except ValueError as error:
        return Outcome(path, fault=Fault(f"is no notebook that can be read: {error}"))
    script = _Script.of([source_of(cell) for cell in notebook["cells"] if _is_code(cell)])
    result = rewrite_source(script.text, options, neighbours)
    steps = tuple(script.placed(step) for step in result.steps)
    lines = tuple(step.line for step in result.steps)
    unused = tuple(script.line_in_cell(line)[1] for line in result.unused_skips)
    source = Source(path, script.shown(script.text), "utf-8")
    shown = Result(source.text, source.text, steps, unused)
    if result.text == script.text:
        return Outcome(path, source, shown, data, data, script_lines=lines)
    cells = script.cells(result.text)
    if cells is None:
        fault = Fault("a training step reaches over several cells; put it into one")
        return Outcome(path, source, fault=fault)
    _put_cells(notebook, script, cells, {step.class_name for step in steps if step.class_name})
    changes = tuple(script.change_as_shown(change) for change in result.changes)
    shown = replace(shown, text=script.shown(result.text), changes=changes)
    patched = written_notebook(notebook, data)
    return Outcome(path, source, shown, data, patched, script_lines=lines)


def with_note(patched: bytes, note: str) -> bytes:
    """A notebook with a cell on top that says something to whoever opens it."""
    notebook = read_notebook(patched)
    first = notebook["cells"][0] if notebook["cells"] else {}
    notebook["cells"].insert(0, cell_like(first, "markdown", note))
    return written_notebook(notebook, patched)


@dataclass(frozen=True)
class _Script:
    """The code cells of a notebook as one script.

    Attributes:
        text: the script; a comment stands before each cell.
        hidden: what is no Python, replaced by a numbered `pass`.
    """

    text: str
    hidden: tuple[str, ...]

    @classmethod
    def of(cls, sources: Sequence[str]) -> _Script:
        hidden: list[str] = []
        parts = []
        for index, source in enumerate(sources):
            parts.append(f"{_MARK.format(index)}\n{_python(source, hidden)}\n")
        return cls("".join(parts), tuple(hidden))

    def cells(self, text: str) -> list[str] | None:
        """Each cell of a patched script, what is hidden still so; None when they were mixed up."""
        marks = list(_MARK_LINE.finditer(text))
        count = len(_MARK_LINE.findall(self.text))
        if [int(mark.group(1)) for mark in marks] != list(range(count)):
            return None
        starts = [mark.end() for mark in marks]
        ends = [*(mark.start() for mark in marks[1:]), len(text)]
        # What the engine put before the first cell belongs to it.
        head = text[: marks[0].start()] if marks else ""
        cells = [text[start:end] for start, end in zip(starts, ends)]
        cells[0] = head + cells[0]
        return [cell[:-1] if cell.endswith("\n") else cell for cell in cells]

    def shown(self, text: str) -> str:
        """The text for people: everything hidden back in its place, cells counted from 1."""
        text = _HIDDEN_LINE.sub(lambda match: self.hidden[int(match.group(1))], text)
        return _MARK_LINE.sub(lambda match: f"# %% cell {int(match.group(1)) + 1}\n", text)

    def placed(self, step: Step) -> Step:
        """The step with its line counted in its cell, which the message names."""
        cell, line = self.line_in_cell(step.line)
        return replace(step, line=line, message=f"cell {cell}: {step.message}")

    def change_as_shown(self, change: Change) -> Change:
        """The change at its line of the shown text, where magics may take several lines."""
        before = "".join(lines_of(self.text)[: change.line - 1])
        return replace(change, line=self.shown(before).count("\n") + 1)

    def line_in_cell(self, line: int) -> tuple[int, int]:
        """The number of the cell that holds a line of the script, and the line within it."""
        before = "".join(lines_of(self.text)[:line])
        mark = list(_MARK_LINE.finditer(before))[-1]
        return int(mark.group(1)) + 1, before.count("\n", mark.end())


def _python(source: str, hidden: list[str]) -> str:
    """A cell as Python: as it is, with its magics hidden, or hidden as a whole."""

    def hide(match: re.Match[str]) -> str:
        line = match.group()
        body = line.lstrip()
        hidden.append(body)
        return line[: len(line) - len(body)] + _HIDDEN.format(len(hidden) - 1)

    if _parses(source):
        return source
    if not source.lstrip().startswith("%%") or source.lstrip().startswith(_PYTHON_CELL_MAGICS):
        before = len(hidden)
        masked = _MAGIC.sub(hide, source)
        if _parses(masked):
            return masked
        del hidden[before:]
    hidden.append(source)
    return _HIDDEN.format(len(hidden) - 1)


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


def _is_code(cell: Any) -> bool:
    return bool(cell["cell_type"] == "code")


def _put_cells(notebook: Any, script: _Script, sources: Sequence[str], classes: set[str]) -> None:
    """Give each code cell its source, and each generated class a cell before its first use."""
    definitions: dict[str, str] = {}
    remaining = []
    for source in sources:
        rest, found = _without_classes(source, classes)
        definitions.update(found)
        remaining.append(rest)
    cells: list[Any] = []
    for cell in notebook["cells"]:
        if _is_code(cell):
            source = remaining.pop(0)
            used = [name for name in definitions if re.search(rf"\b{name}\b", source)]
            cells += [cell_like(cell, "code", definitions.pop(name)) for name in used]
            put_source(cell, script.shown(source))
        cells.append(cell)
    notebook["cells"] = cells


def _without_classes(source: str, classes: set[str]) -> tuple[str, dict[str, str]]:
    """A cell's source without the generated classes, and these by name."""
    lines = source.split("\n")
    found: dict[str, str] = {}
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.ClassDef) and node.name in classes:
            first, last = node.lineno - 1, node.end_lineno or node.lineno
            found[node.name] = "\n".join(lines[first:last])
            while last < len(lines) and not lines[last].strip():
                last += 1
            del lines[first:last]
    return ("\n".join(lines).rstrip("\n") if found else source), found
