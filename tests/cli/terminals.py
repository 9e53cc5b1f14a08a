"""A program on a terminal of its own, as somebody who types answers ahead of it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def on_terminal(folder: Path, typed: str, *args: str, **env: str) -> tuple[int, str]:
    """The exit code of `ortwrap ARGS...` and all that it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ortwrap", *args],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={
            **{name: value for name, value in os.environ.items() if name != "FORCE_COLOR"},
            "PYTHONPATH": str(ROOT),
            "ORTWRAP_CACHE": str(folder / ".cache"),
            "TERM": "xterm",
            "PAGER": "cat",
            **env,
        },
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = bytearray()
    try:
        while True:
            part = os.read(ours, 65536)
            if not part:
                break
            shown += part
    except OSError:
        pass  # the other side is closed: it has ended
    os.close(ours)
    return process.wait(), shown.decode().replace("\r\n", "\n")
