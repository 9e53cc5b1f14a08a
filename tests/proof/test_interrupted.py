"""However verify is ended, no process and no folder is left, and no half-written file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")

# Starts a helper, as DataLoader workers are, says so, and never makes a step.
SCRIPT = """\
import subprocess, sys, time
import torch
subprocess.Popen(["sleep", "98{number}"])
open({started!r}, "w")
time.sleep(600)
model(x).sum().backward()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
@pytest.mark.parametrize("command", ["verify", "bench"])
def test_nothing_is_left_behind(tmp_path: Path, number: signal.Signals, command: str) -> None:
    started, temporary, script = tmp_path / "started", tmp_path / "tmp", tmp_path / "train.py"
    script.write_text(SCRIPT.format(started=str(started), number=int(number)))
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = ["-m", "ortwrap", command, "train.py", "--patched", "train.py", "--json", "out"]
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=tmp_path, env=environment, stderr=subprocess.PIPE
    ) as process:
        while not started.exists():
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            time.sleep(0.05)
        process.send_signal(number)
        process.wait(timeout=60)

    assert process.returncode == 128 + number
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["started", "tmp", "train.py"]
    assert not [each for each in running_commands() if f"sleep\x0098{int(number)}" in each]


def running_commands() -> list[str]:
    """Command lines of the processes of this machine, where it tells."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it may have ended by now
            found.append(path.read_bytes().decode("utf-8", "replace"))
    return found
