"""The built wheel in an empty environment, as a new user has it: no torch, no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_scripts import PLAIN, TRAINING

ROOT = Path(__file__).parents[2]


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
