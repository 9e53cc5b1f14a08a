"""A rewrite that touched more than its steps, or hid a name, would be noticed."""

from __future__ import annotations

import pytest
from engine_cases import Case, each_case, ordered_comments

from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.tree import SourceTree
from ortwrap.engine.text.untouched import changed_line, hidden_name

SCRIPT = "import torch\n\nmodel = torch.nn.Linear(4, 2)\nprint( model )\n"


@pytest.mark.parametrize(
    ("patched", "line"),
    [
        pytest.param(SCRIPT, None, id="nothing changed"),
        pytest.param("import os\n" + SCRIPT + "print(1)\n", None, id="lines were added"),
        pytest.param(SCRIPT.replace("print( model )", "print(model)"), 4, id="a space is gone"),
        pytest.param(SCRIPT.replace("import torch\n", ""), 1, id="a line is gone"),
        pytest.param("print( model )\n" + SCRIPT.replace("print( model )\n", ""), 4, id="moved"),
    ],
)
def test_a_line_outside_of_every_step_stays(patched: str, line: int | None) -> None:
    assert changed_line(SourceTree(SCRIPT), (), patched) == line


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        pytest.param(
            "def f():\n    return x\n", "def f():\n    y = 1\n    return x\n", None, id="new"
        ),
        pytest.param(
            "x = 1\ndef f():\n    return x\n", "x = 1\ndef f():\n    x = 2\n", "x", id="hid"
        ),
        pytest.param("print(len('a'))\n", "len = 1\nprint(len('a'))\n", "len", id="a builtin"),
    ],
)
def test_a_name_goes_on_meaning_what_it_meant(before: str, after: str, name: str | None) -> None:
    trees = SourceTree(before), SourceTree(after)
    assert hidden_name(trees[0], Bindings(trees[0]), Bindings(trees[1])) == name


@each_case
def test_comments_keep_their_order(case: Case) -> None:
    """Outside of the generated classes, and inside of them, they are a subsequence of the input's.

    A comment goes into forward with the statement that it speaks of, so that the whole is one
    only where no such statement has any.
    """
    before = ordered_comments(case.before)
    generated = _generated_lines(case)
    after = ordered_comments(case.after)
    assert sorted(text for _, text in before) == sorted(text for _, text in after)
    for inside in (False, True):
        rest = iter(text for _, text in before)
        kept = [text for line, text in after if (line in generated) is inside]
        if inside and len(case.rewritten().steps) > 1:
            continue  # one class for each step, in the order of the steps' functions
        assert all(any(text == other for other in rest) for text in kept)


def _generated_lines(case: Case) -> set[int]:
    names = {step.class_name for step in case.rewritten().steps}
    lines: set[int] = set()
    inside = False
    for number, line in enumerate(case.after.splitlines(), start=1):
        if line.strip() and not line.startswith((" ", "\t")):
            inside = any(line.startswith(f"class {name}(") for name in names)
        if inside:
            lines.add(number)
    return lines
