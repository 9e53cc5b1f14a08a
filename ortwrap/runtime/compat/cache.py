"""A folder of things that take minutes to make, shared by processes and environments."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

_SCRATCH_PREFIX = "making-"


class NotWritable(RuntimeError):
    """A folder that must be written to cannot be; the message says what to do."""


def cache_dir() -> Path:
    """Where builds are kept: `$ORTWRAP_CACHE`, or ortwrap's folder in the user's cache.

    Raises:
        NotWritable: neither is known, as of a user whom only a container knows.
    """
    chosen = os.environ.get("ORTWRAP_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(chosen or os.path.join(base, "ortwrap")).expanduser().absolute()
    except RuntimeError as error:
        raise NotWritable("no home folder is known: name a cache in ORTWRAP_CACHE") from error


def make_once(folder: Path, make: Callable[[Path], None]) -> None:
    """Lets `make` fill `folder`, unless it is there; whoever asks meanwhile waits for the result.

    `make` gets a scratch folder and fills its subfolder `out`, which becomes `folder` in one
    step when it returns: a folder that exists is complete.

    Raises:
        NotWritable: the parent folder cannot be written to.
    """
    if folder.is_dir():
        return
    with locked("make"):
        if folder.is_dir():
            return
        with explaining_refusal(folder.parent):
            folder.parent.mkdir(parents=True, exist_ok=True)
            _sweep(folder.parent)
            scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH_PREFIX, dir=folder.parent))
        try:
            make(scratch)
            os.rename(scratch / "out", folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Removes what processes left that were killed while making: nobody else holds the lock."""
    for scratch in parent.glob(f"{_SCRATCH_PREFIX}*"):
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def locked(purpose: str) -> Iterator[None]:
    """Keeps other processes that share the cache from doing the same at the same time.

    Raises:
        NotWritable: the cache cannot be written to.
    """
    with explaining_refusal(cache_dir()):
        cache_dir().mkdir(parents=True, exist_ok=True)
        lock = _lock(cache_dir() / f"{purpose}.lock")
    with lock:
        yield


def _lock(path: Path) -> contextlib.AbstractContextManager[object]:
    """A lock that is already held; leaving the context gives it back."""
    try:
        from filelock import FileLock
    except ModuleNotFoundError:
        # It comes with torch: where it is missing, nobody can be building against torch.
        return contextlib.nullcontext()
    return FileLock(str(path)).acquire()


@contextlib.contextmanager
def explaining_refusal(folder: Path) -> Iterator[None]:
    """Turns a refusal by the file system into one sentence of what to do.

    Raises:
        NotWritable: the block was not permitted to write.
    """
    try:
        yield
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise NotWritable(
            f"{folder} cannot be written to: use a virtual environment of your own, "
            "or name another cache in ORTWRAP_CACHE"
        ) from error
    except OSError as error:
        raise NotWritable(f"{folder} cannot be written to: {error.strerror}") from error
