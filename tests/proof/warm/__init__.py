"""A Python that has torch imported already, for tests that run many small scripts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).parent


@contextlib.contextmanager
def warm_python() -> Iterator[tuple[str, ...]]:
    """A launcher: what to put before a script in place of `python`.

    Yields:
        The command, which is understood by `Setting.launcher`.
    """
    # A socket's path must be short, so it is not below pytest's folders.
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        address = os.path.join(folder, "socket")
        server = subprocess.Popen(
            [sys.executable, str(_HERE / "server.py"), address],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield (sys.executable, "-I", "-S", str(_HERE / "client.py"), address)
            server.stdin.close()  # type: ignore[union-attr]
