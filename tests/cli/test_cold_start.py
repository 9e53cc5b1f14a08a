"""A hook runs on every commit: what a run imports is what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_scripts import PLAIN, TRAINING


def imported(*args: str, cwd: Path) -> set[str]:
    """The modules that a process imports in which `ortwrap ARGS...` runs."""
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ortwrap", *args],
        cwd=cwd,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in process.stderr.splitlines() if line.startswith("import time:")]
    modules = {line.rpartition("|")[2].strip() for line in lines}
    assert "ortwrap.cli" in modules
    return modules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plain.py").write_text(PLAIN)
    (tmp_path / "mention.py").write_text(
        f"'''Never calls loss.backward().'''\nimport torch\n{PLAIN}"
    )
    (tmp_path / "train.py").write_text(TRAINING)
    return tmp_path


@pytest.mark.parametrize("file", ["plain.py", "mention.py"])
def test_a_file_without_a_training_step_needs_no_libcst(folder: Path, file: str) -> None:
    heavy = {"libcst", "jinja2", "rich", "torch", "numpy", "pathspec", "concurrent.futures"}
    assert not heavy & imported("rewrite", file, cwd=folder)


def test_a_rewrite_needs_no_torch(folder: Path) -> None:
    modules = imported("rewrite", "train.py", cwd=folder)
    assert "libcst" in modules
    unwanted = {"torch", "numpy", "onnx", "onnxruntime", "rich", "libcst.codemod"}
    assert not unwanted & modules
    assert "libcst.matchers" not in modules


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["rewrite", "--help"]])
def test_help_needs_nothing_heavy(folder: Path, args: list[str]) -> None:
    heavy = {"libcst", "jinja2", "rich", "torch", "numpy", "difflib"}
    assert not heavy & imported(*args, cwd=folder)
