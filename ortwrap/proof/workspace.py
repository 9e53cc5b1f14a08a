"""The temporary folder of one verification or benchmark, also where one was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ortwrap.proof.put_back import put_back
from ortwrap.proof.recorder.outside import JOURNAL

_PREFIX = "ortwrap-"
_LOCK = "lock"


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A folder for copies and recordings, gone at the end.

    Those of runs that were killed go first: a lock tells them from others that are at work, and
    the system gives it back however its holder ends.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            _sweep(left)
    folder = tempfile.TemporaryDirectory(prefix=_PREFIX)
    try:
        with _locked(Path(folder.name)):
            yield Path(folder.name)
    finally:
        # A process that is just being killed may still write: the next run sweeps then.
        with contextlib.suppress(OSError):
            folder.cleanup()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # not to be had on Windows, where nothing is swept
        yield
        return
    # Under its name it is locked from the beginning.
    unfinished = folder / f"{_LOCK}.unfinished"
    with open(unfinished, "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.replace(unfinished, folder / _LOCK)
        yield


def _sweep(folder: Path) -> None:
    """Remove a folder whose owner is gone.

    Raises:
        OSError: somebody holds it, or it is none of ours.
    """
    try:
        import fcntl
    except ImportError:
        return
    with open(folder / _LOCK, "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for journal in folder.glob(f"*/{JOURNAL}"):
            put_back(journal)
        shutil.rmtree(folder, ignore_errors=True)
