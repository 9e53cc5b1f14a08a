"""A run over many files that is killed: every file old or new, nothing else left behind."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_scripts import TRAINING

from ortwrap import workers

FILES = 40


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs unnamed files")
def test_kill_at_any_moment(tmp_path: Path) -> None:
    real = tmp_path / "real.py"
    real.write_text(TRAINING)
    real.chmod(0o750)
    folder = tmp_path / "src"
    folder.mkdir()
    patched = _patched(tmp_path)
    halfway = False
    for turn in range(100):
        _restore(folder, real)
        process = subprocess.Popen(
            [sys.executable, "-m", "ortwrap", "rewrite", "--write", "src"],
            cwd=tmp_path,
            env=_environment(tmp_path),
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        # From before the first file is written to after a good part of them.
        _wait_for_change(folder / "0.py", process)
        time.sleep(0.02 * (turn % 12))
        # Alone as a program does it, or with all it started as a terminal that closes.
        if turn % 2:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        # Its end is the end of everything it started, a child that was renaming a file included.
        process.communicate()
        contents = [(folder / f"{index}.py").read_text() for index in range(FILES)]
        assert all(content in (TRAINING, patched) for content in contents)
        assert sorted(os.listdir(folder)) == sorted([*(f"{i}.py" for i in range(FILES)), "link.py"])
        assert (folder / "link.py").is_symlink()
        assert real.read_text() in (TRAINING, patched)
        assert stat.S_IMODE(real.stat().st_mode) == 0o750
        halfway |= 0 < sum(content == patched for content in contents) < FILES
        if halfway and turn >= 11:
            return
    pytest.fail("no run was killed half way")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.skipif(workers.processors() < 2, reason="no pool is made for one processor")
def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    # Their diffs are more than a pipe holds: without a reader it cannot end before it is killed.
    for index in range(200):
        (tmp_path / f"{index}.py").write_text(TRAINING)
    process = subprocess.Popen(
        [sys.executable, "-m", "ortwrap", "rewrite", "."],
        cwd=tmp_path,
        env=_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not children.read_text().split():
        assert process.poll() is None, "it has no workers"
    process.kill()
    # The pipe closes when the last of those that write to it has ended.
    process.communicate()


def _patched(tmp_path: Path) -> str:
    command = [sys.executable, "-m", "ortwrap", "rewrite", "-", "-o", "-"]
    process = subprocess.run(
        command,
        input=TRAINING.encode(),
        env=_environment(tmp_path),
        capture_output=True,
        check=True,
    )
    return process.stdout.decode()


def _restore(folder: Path, real: Path) -> None:
    for index in range(FILES):
        (folder / f"{index}.py").write_text(TRAINING)
    real.write_text(TRAINING)
    if not (folder / "link.py").is_symlink():
        (folder / "link.py").symlink_to(real)


def _wait_for_change(path: Path, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and path.read_text() == TRAINING:
        time.sleep(0.001)


def _environment(tmp_path: Path) -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "ORTWRAP_CACHE": str(tmp_path / "cache")}
