"""A script that makes a daemon of itself trains on when the process that was started has ended."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from ortwrap.proof.guardian import marked

# How long a process may take until it is seen whether it imports torch at all.
_TORCH_BY_SECONDS = 30.0
_OF_TORCH = b"libtorch"


class Background:
    """What a run has left behind that may still train.

    Args:
        out: where its recordings go.
        mark: `NAME=value`, which every process of the run has in its environment.
    """

    def __init__(self, out: Path, mark: str) -> None:
        self._out = out
        self._mark = mark
        self._torch_by: float | None = None

    def trains(self) -> bool:
        """Whether a recording may still come; to be asked once the started process has ended.

        A helper that stays, as a logger or a server of figures does, is not waited for: it comes
        with a script whose own recording is there, or does not import torch.
        """
        if self._torch_by is None:
            self._torch_by = time.monotonic() + _TORCH_BY_SECONDS
        if self._is_recorded():
            return False
        left = marked(self._mark)
        return bool(left) and (time.monotonic() < self._torch_by or any(map(_has_torch, left)))

    def _is_recorded(self) -> bool:
        """Whether something is recorded, and nothing of what made steps is missing."""
        begun = {path.stem for path in self._out.glob("*.progress")}
        ended = {path.stem for path in self._out.glob("*.recording")}
        return bool(ended) and begun <= ended


def _has_torch(process: int) -> bool:
    with contextlib.suppress(OSError):
        return _OF_TORCH in Path(f"/proc/{process}/maps").read_bytes()
    return False
