"""A copy of what this process prints: several processes print into one stream in no fixed order."""

from __future__ import annotations

import functools
import os
import sys
from typing import Any


def keep_what_is_said(folder: str) -> None:
    """From now on, copy what is written to standard output and error to `folder/PID.said`."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            _copy(stream, folder)


def _copy(stream: Any, folder: str) -> None:
    write = stream.write

    @functools.wraps(write)
    def written(text: str) -> int:
        # A worker that was forked writes to a file of its own.
        with open(os.path.join(folder, f"{os.getpid()}.said"), "ab") as said:
            said.write(text.encode("utf-8", "replace"))
        count: int = write(text)
        return count

    stream.write = written
