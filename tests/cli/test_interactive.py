"""`--interactive` on a real terminal: what is asked, and that only what was agreed to is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_scripts import PLAIN, TRAINING
from terminals import on_terminal

from ortwrap import Options, rewrite_source

STEPS = TRAINING + "\n\n" + TRAINING.partition("\n\n\n")[2].replace("train(", "tune(")
PROMPT = "Rewrite this step? [y,n,v,a,q,?]"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(STEPS)
    return path


def lines_of_steps() -> list[int]:
    return [step.line for step in rewrite_source(STEPS).steps]


@pytest.mark.parametrize(
    ("typed", "left", "asked"),
    [
        pytest.param("y\nn\n", [1], 2, id="first"),
        pytest.param("n\ny\n", [0], 2, id="second"),
        pytest.param("a\n", [], 1, id="all"),
        pytest.param("?\nv\ny\nq\n", [1], 4, id="help, view, yes, quit"),
        pytest.param("q\n", [0, 1], 1, id="quit"),
        pytest.param("\x04", [0, 1], 1, id="end of input"),
    ],
)
def test_what_is_agreed_to_is_written(
    script: Path, typed: str, left: list[int], asked: int
) -> None:
    lines = lines_of_steps()
    code, shown = on_terminal(script.parent, typed, "rewrite", "-i", "train.py")
    assert code == 0, shown
    assert shown.count(PROMPT) == asked
    leave = tuple(lines[index] for index in left)
    assert script.read_text() == rewrite_source(STEPS, Options(leave=leave)).text
    rewritten = 2 - len(left)
    assert f"Rewrote {rewritten} step{'' if rewritten == 1 else 's'} in " in shown


def test_a_step_is_shown_with_what_speaks_for_it(script: Path) -> None:
    _, shown = on_terminal(script.parent, "v\nq\n", "rewrite", "-i", "train.py", NO_COLOR="1")
    assert f"train.py:{lines_of_steps()[0]} in train (step 1 of 2): forward and loss moved" in shown
    assert "model `model`: `.train()` is called on it" in shown
    assert "# line 9: `output = model(data)` moved into forward" in shown
    assert "    1  import torch.nn.functional as F\n" in shown  # the view
    _, coloured = on_terminal(script.parent, "q\n", "rewrite", "-i", "train.py")
    assert "\x1b[32m+class ModuleWithLoss" in coloured


def test_what_was_agreed_to_can_be_reverted(script: Path, tmp_path: Path) -> None:
    on_terminal(tmp_path, "y\nn\n", "rewrite", "-i", ".")
    assert script.read_text() != STEPS
    assert on_terminal(tmp_path, "", "rewrite", "--revert", "train.py")[0] == 0
    assert script.read_text() == STEPS


def test_files_without_a_question_go_by(script: Path) -> None:
    (script.parent / "plain.py").write_text(PLAIN)
    (script.parent / "bad.py").write_text("import torch\nloss.backward(\n")
    code, shown = on_terminal(script.parent, "a\n", "rewrite", "-i", ".")
    assert code == 2
    assert "bad.py:2:14: error: '(' was never closed" in shown
    assert "Rewrote 2 steps in 1 file." in shown


def test_originals_of_a_project_with_twins_stay(script: Path) -> None:
    (script.parent / "pyproject.toml").write_text('[tool.ortwrap]\noutput = "{stem}_ort.py"\n')
    code, shown = on_terminal(script.parent, "a\n", "rewrite", "-i", "train.py")
    assert code == 2
    assert "--interactive would change the originals" in shown
    assert script.read_text() == STEPS


def test_without_a_terminal_it_says_what_to_do(ortwrap: Callable, script: Path) -> None:
    run = ortwrap("rewrite", "-i", "train.py")
    assert run.code == 2
    assert "needs a terminal; --write rewrites without asking" in run.err
    assert ortwrap("rewrite", "-i", "--check", "train.py").code == 2
