"""The built wheel in an empty environment, as a new user has it: no torch, no checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_scripts import PLAIN, TRAINING

ROOT = Path(__file__).parents[2]
_CONSUMER = """\
from ortwrap import Options, Result, rewrite_source

def codes(text: str) -> list[str | None]:
    result: Result = rewrite_source(text, Options(class_name="Wrapped"))
    return [step.code for step in result.steps]
"""


def run(program: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(program), *args],
        cwd=folder,
        env={**environment, "ORTWRAP_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAINING)
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "train.py").write_text(TRAINING)
    (tmp_path / "plain.py").write_text(PLAIN)
    (tmp_path / ".gitignore").write_text("made/\n")
    return tmp_path


def test_rewrite_needs_nothing_but_the_wheel(installed: Path, project: Path) -> None:
    shown = run(installed, project, "rewrite", "train.py")
    assert shown.returncode == 0
    assert "+class ModuleWithLoss(" in shown.stdout
    here = subprocess.run(
        [sys.executable, "-m", "ortwrap", "rewrite", "train.py"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == here.stdout, "wheel and checkout differ"
    written = run(installed, project, "rewrite", "--write", ".")
    assert (written.returncode, written.stdout) == (0, "")
    assert "Rewrote 1 step in 1 file, 1 file left unchanged." in written.stderr
    assert (project / "made" / "train.py").read_text() == TRAINING


def test_what_needs_torch_says_so(installed: Path, project: Path) -> None:
    verify = run(installed, project, "verify", "train.py")
    assert verify.returncode == 2
    assert "needs torch" in verify.stderr
    doctor = run(installed, project, "doctor")
    assert doctor.returncode == 1
    assert "torch" in doctor.stdout
    notebook = project / "a.ipynb"
    notebook.write_text("{}")
    assert "pip install 'ortwrap[notebook]'" in run(installed, project, "rewrite", "a.ipynb").stderr


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["explain"], ["explain", "OW201"]])
def test_everything_else_runs(installed: Path, project: Path, args: list[str]) -> None:
    assert run(installed, project, *args).returncode == 0


def test_its_types_reach_those_who_use_it(installed: Path, project: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull]
    command += ["--python-executable", str(installed.parent / "python"), "use.py"]

    def checked(text: str) -> str:
        (project / "use.py").write_text(text)
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        return done.stdout

    assert checked(_CONSUMER).startswith("Success")
    assert "use.py:5: error" in checked(_CONSUMER.replace("step.code", "step.line"))


def test_an_index_shows_no_links_into_a_checkout(installed: Path) -> None:
    code = "from importlib.metadata import metadata; print(metadata('ortwrap').get_payload())"
    shown = subprocess.run(
        [str(installed.parent / "python"), "-c", code], capture_output=True, text=True, check=True
    ).stdout
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert shown.splitlines()[:2] == readme.splitlines()[:2]
    assert re.findall(r"\]\((?!https?:)", readme)
    assert not re.findall(r"\]\((?!https?:)", shown)
