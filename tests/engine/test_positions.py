"""Our offsets are the places that LibCST's own `PositionProvider` gives, on every node."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from ortwrap.engine.text.positions import spans_of
from ortwrap.engine.text.tree import SourceTree

ROOT = Path(__file__).parents[2]
FILES = [
    *(ROOT / "samples").glob("*.py"),
    *(ROOT / "ortwrap" / "engine").glob("*.py"),
    *(ROOT / "tests" / "engine" / "cases").glob("m*/before.py"),
]
LAYOUTS = {
    "CRLF": "import a\r\n\r\nif a:\r\n    b()\r\n",
    "no newline at the end": "x = (\n    1,\n)",
    "form feed": "a = 1\n\x0c\nb = 2\n",
    "one line": "if a: b(); c()\nelse: d()\n",
    "decorated": "@a\n# why\n@b(\n  1)\nasync def f(x, /, *y): return [z async for z in x]\n",
    "parentheses": "x = ((a)(b) [c] . d)\n",
    "continued": "x = a + \\\n    b\n",
    "only a comment": "# nothing\n",
    "empty": "",
}


@pytest.mark.parametrize(
    "text",
    [*(pytest.param(file.read_text(), id=f"{file.parent.name}/{file.name}") for file in FILES)]
    + [pytest.param(text, id=name) for name, text in LAYOUTS.items()],
)
def test_every_node_stands_where_libcst_says(text: str) -> None:
    tree = SourceTree(text)
    positions = MetadataWrapper(tree.module, unsafe_skip_copy=True).resolve(PositionProvider)
    starts = [tree.line_start(line) for line in range(1, text.count("\n") + 3)]
    # LibCST writes a last newline first and takes it away afterwards where there is none.
    found = spans_of(tree.module, text)
    spans = {node: (start, min(end, len(text))) for node, (start, end) in found.items()}
    assert spans == {
        node: (
            starts[place.start.line - 1] + place.start.column,
            starts[place.end.line - 1] + place.end.column,
        )
        for node, place in positions.items()
    }
    assert all(
        (tree.line(node), tree.end_line(node)) == (place.start.line, place.end.line)
        for node, place in positions.items()
        if isinstance(node, (cst.BaseExpression, cst.BaseStatement, cst.BaseSmallStatement))
    )


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_blank_that_libcst_forgets_moves_nothing(end: str) -> None:
    text = f"try:\n    a()\nexcept (B, C)  :\n    d()\ne(f)  # g{end}"
    tree = SourceTree(text)
    assert tree.module.code != text, "LibCST has learned to keep it"
    assert [tree.source(call) for call in tree.calls] == ["a()", "d()", "e(f)"]
