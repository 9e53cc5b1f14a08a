"""However verify is ended, no process and no folder is left, and no half-written file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proof.fifo import Fifo

pytest.importorskip("torch")

# Starts a helper and never makes a step.
SCRIPT = """\
{helper}
import time
time.sleep(600)
model(x).sum().backward()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
@pytest.mark.parametrize("command", ["verify", "bench"])
def test_nothing_is_left_behind(tmp_path: Path, number: signal.Signals, command: str) -> None:
    fifo, temporary = Fifo(tmp_path / "fifo"), tmp_path / "tmp"
    (tmp_path / "train.py").write_text(SCRIPT.format(helper=fifo.held_by_a_helper))
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = ["-m", "ortwrap", command, "train.py", "--patched", "train.py", "--json", "out"]
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=tmp_path, env=environment, stderr=subprocess.PIPE
    ) as process:
        fifo.wait_until_held()
        process.send_signal(number)
        said = process.stderr.read().decode() if process.stderr else ""

    assert process.returncode == 128 + number, said
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fifo", "tmp", "train.py"]
    fifo.wait_until_nobody_holds_it()
