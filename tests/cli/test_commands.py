"""verify, doctor, explain and the group itself: arguments in, printing out, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ortwrap import __version__
from ortwrap.engine.refusal_pages import PAGES

SCRIPT = """\
import sys
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=float(sys.argv[1]))
for _ in range(4):
    optimizer.zero_grad()
    loss = model(torch.ones(3, 4)).pow(2).mean()
    loss.backward()
    optimizer.step()
"""


def test_version(ortwrap: Callable) -> None:
    run = ortwrap("--version")
    assert (run.code, run.text) == (0, f"ortwrap, version {__version__}\n")


@pytest.mark.parametrize("command", ["rewrite", "verify", "doctor", "explain"])
def test_help_has_examples(ortwrap: Callable, command: str) -> None:
    run = ortwrap(command, "--help")
    assert run.code == 0
    assert f"  ortwrap {command} " in run.text
    assert command in ortwrap("--help").text


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(
            ["rewrit", "a.py"], "No such command 'rewrit'. Did you mean 'rewrite'?", id="near"
        ),
        pytest.param(["train.py"], "Did you mean 'rewrite train.py'?", id="script"),
        pytest.param(["frobnicate"], "No such command 'frobnicate'.\n", id="far"),
        pytest.param(["rewrite", ""], "a path is empty; is a variable of your shell", id="empty"),
        pytest.param(["explain", "OW20"], "Did you mean OW201, OW202, OW203", id="half a code"),
        pytest.param(["explain", "QQ"], "`ortwrap explain` lists every code", id="no code"),
        pytest.param(["rewrite", "--chek", "."], "No such option", id="option"),
        pytest.param(["rewrite"], "Missing argument 'PATH...'", id="nothing"),
    ],
)
def test_what_is_mistyped_is_told_with_what_was_meant(
    ortwrap: Callable, args: list[str], said: str
) -> None:
    run = ortwrap(*args)
    assert (run.code, run.out) == (2, b"")
    assert said in run.err


def test_shell_completion_knows_the_commands(ortwrap: Callable) -> None:
    asked = {"_ORTWRAP_COMPLETE": "bash_complete", "COMP_WORDS": "ortwrap re", "COMP_CWORD": "1"}
    assert ortwrap(**asked).text == "plain,rewrite\n"


def test_shell_completion_knows_the_codes(ortwrap: Callable) -> None:
    words = {"COMP_WORDS": "ortwrap explain ow10", "COMP_CWORD": "2"}
    said = ortwrap(_ORTWRAP_COMPLETE="bash_complete", **words).text.split()
    assert said == [f"plain,{code}" for code in sorted(PAGES) if code.startswith("OW10")]


@pytest.mark.parametrize("code", sorted(PAGES))
def test_explain_prints_the_page(ortwrap: Callable, code: str) -> None:
    run = ortwrap("explain", code.lower())
    assert run.code == 0
    assert run.text.startswith(f"{code}: {PAGES[code].title}\n===")
    assert "What to do:" in run.text


def test_explain_lists_and_suggests(ortwrap: Callable) -> None:
    assert [line[:5] for line in ortwrap("explain").text.splitlines()] == sorted(PAGES)
    run = ortwrap("explain", "OW2O1")
    assert (run.code, run.out) == (2, b"")
    assert "there is no refusal OW2O1. Did you mean OW" in run.err


def test_doctor_tells_the_state_and_exits_by_it(ortwrap: Callable) -> None:
    run = ortwrap("doctor", "--json")
    diagnosis = json.loads(run.out)
    assert run.code == (0 if diagnosis["healthy"] else 1)
    assert {"torch", "extensions"} <= {finding["subject"] for finding in diagnosis["findings"]}
    assert ortwrap("doctor", "--fix", "--undo").code == 2


def test_verify_tells_a_match_from_a_mismatch_by_exit_code(
    ortwrap: Callable, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "slower.py").write_text(SCRIPT.replace("lr=float", "lr=0.5 * float"))
    ask = ("verify", "train.py", "--steps", "3", "--json", "-")
    same = ortwrap(*ask, "--patched", "train.py", "--", "0.1")
    assert same.code == 0, same.err
    assert json.loads(same.out)["status"] == "match"
    assert "match: 3 steps" in same.err
    other = ortwrap(*ask, "--patched", "slower.py", "--", "0.1")
    assert other.code == 1
    assert json.loads(other.out)["status"] == "mismatch"


def test_verify_of_a_script_that_fails_shows_how(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    run = ortwrap("verify", "train.py", "--patched", "train.py", "--json", "verdict.json")
    assert run.code == 2
    assert "IndexError" in run.text
    assert json.loads((tmp_path / "verdict.json").read_text())["status"] == "error"


@pytest.mark.parametrize("args", [["missing.py"], [], ["."]])
def test_verify_of_what_is_no_script(ortwrap: Callable, args: list[str]) -> None:
    run = ortwrap("verify", *args)
    assert (run.code, run.out) == (2, b"")


def test_a_launcher_that_is_not_there_is_named(ortwrap: Callable, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    run = ortwrap("verify", "train.py", "--launcher", "no-such-launcher run")
    assert (run.code, run.out) == (2, b"")
    assert run.err == "Error: the launcher 'no-such-launcher' was not found\n"


@pytest.mark.parametrize("command", ["verify", "bench"])
@pytest.mark.parametrize("option", ["--html", "--json"])
@pytest.mark.parametrize(
    ("place", "why"), [("nowhere/report", "there is no folder"), (".", "is a folder")]
)
def test_a_place_that_cannot_be_written_is_named_before_anything_runs(
    ortwrap: Callable, tmp_path: Path, command: str, option: str, place: str, why: str
) -> None:
    (tmp_path / "train.py").write_text("import time; time.sleep(600)\nloss.backward()\n")
    run = ortwrap(command, "train.py", "--patched", "train.py", option, place)
    assert (run.code, run.out) == (2, b"")
    assert why in run.err
