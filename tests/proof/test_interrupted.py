"""However verify is ended, no process is left, no folder, and no half-written file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ortwrap.proof.workspace import workspace
from tests.proof.fifo import Fifo

pytest.importorskip("torch")

# Starts helpers and never makes a step.
SCRIPT = """\
{helpers}
import time
time.sleep(600)
model(x).sum().backward()
"""


ENDED_BY = {
    "verify, by SIGTERM": ("verify", signal.SIGTERM),
    "bench, by Ctrl-C": ("bench", signal.SIGINT),
    "verify, by kill -9": ("verify", signal.SIGKILL),
}


@pytest.mark.parametrize("how", ENDED_BY)
def test_nothing_is_left_behind(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command, number = ENDED_BY[how]
    fifo, temporary = Fifo(tmp_path / "fifo"), tmp_path / "tmp"
    (tmp_path / "train.py").write_text(SCRIPT.format(helpers=fifo.held_by_helpers))
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = ["-m", "ortwrap", command, "train.py", "--patched", "train.py", "--json", "out"]
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        preexec_fn=_as_in_a_terminal,
    ) as process:
        fifo.wait_until_held()
        process.send_signal(number)
        said = process.stderr.read().decode() if process.stderr else ""

    if number == signal.SIGKILL:  # it can do nothing any more: its processes end without it
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number, said
        assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fifo", "tmp", "train.py"]
    fifo.wait_until_nobody_holds_it()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with workspace():  # the next start removes what a killed one left
        pass
    assert list(temporary.iterdir()) == []


def _as_in_a_terminal() -> None:
    """What a shell starts in its background ignores Ctrl-C, and so do its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
