"""Streams that are closed, full, cut off or of another encoding: one clear line at most."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_scripts import TRAINING


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAINING)
    return tmp_path


def shell(command: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command in which `ortwrap` is this one."""
    program = f"{sys.executable} -m ortwrap"
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        ["bash", "-c", command.replace("ortwrap", program)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root, "ORTWRAP_CACHE": str(folder / "cache"), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("more", ["", "--format json", "-o -"])
def test_a_full_disk_behind_standard_output(folder: Path, more: str) -> None:
    run = shell(f"ortwrap rewrite train.py {more} > /dev/full", folder)
    assert run.returncode == 2
    assert "ortwrap: standard output: no space left on device" in run.stderr
    assert "Traceback" not in run.stderr
    assert "Exception ignored" not in run.stderr


def test_closed_streams(folder: Path) -> None:
    assert shell("ortwrap rewrite train.py >&-", folder).returncode == 0
    assert shell("ortwrap rewrite - <&-", folder).returncode == 0
    silent = shell("ortwrap rewrite --write train.py 2>&-", folder)
    assert (silent.returncode, silent.stdout) == (0, "")
    assert "ModuleWithLoss" in (folder / "train.py").read_text()


def test_a_reader_that_has_seen_enough(folder: Path) -> None:
    run = shell("set -o pipefail; ortwrap rewrite train.py | head -1", folder)
    assert (run.returncode, run.stdout) == (0, "--- train.py\n")
    assert "rror" not in run.stderr


def test_a_pipe_can_be_rewritten(folder: Path) -> None:
    run = shell("ortwrap rewrite --check <(cat train.py) train.py", folder)
    assert run.returncode == 1
    assert "Would rewrite 2 steps in 2 files." in run.stderr


def test_a_terminal_that_knows_only_ascii(folder: Path) -> None:
    (folder / "train.py").write_text(f"{TRAINING}        # Gr\u00fc\u00dfe\n", encoding="utf-8")
    run = shell("ortwrap rewrite train.py", folder, PYTHONIOENCODING="ascii", FORCE_COLOR="1")
    assert (run.returncode, run.stderr) == (0, "Would rewrite 1 step in 1 file.\n")
    assert "# Gr" in run.stdout


def test_names_that_are_no_text(folder: Path) -> None:
    run = shell("cp train.py $'caf\\xe9.py' && ortwrap rewrite --format json caf*.py", folder)
    assert run.returncode == 0
    assert '"path": "caf\\udce9.py"' in run.stdout
