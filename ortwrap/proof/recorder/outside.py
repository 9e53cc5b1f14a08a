"""What a script changes outside of its sandbox is noted before, so that it can be put back.

A checkpoint that is written to `~/runs`, or to the script's own folder by its full path, goes past
the copy that the script runs in. It would overwrite one of the user's, and the next run would go
on from it instead of starting as the first did. What is there is kept in a journal, one entry for
each path; `proof/put_back.py` reads it once the run is over.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Sequence

from ortwrap.proof.recorder.writes import Write, absolute

JOURNAL = "outside"
# Caches are to be filled once, whoever fills them.
_CACHES = (
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_DATASETS_CACHE",
    "MPLCONFIGDIR",
    "PYTHONPYCACHEPREFIX",
    "TORCHINDUCTOR_CACHE_DIR",
    "TORCH_EXTENSIONS_DIR",
    "TORCH_HOME",
    "TRITON_CACHE_DIR",
    "XDG_CACHE_HOME",
)
_KEPT_AT_MOST = 2**30
_SYSTEM = ("/dev", "/proc", "/sys", "/run")


class TooLargeToKeep(RuntimeError):
    """Ends a script rather than let it change what could not be put back."""


class Journal:
    """Notes what is at a path before it is changed for the first time.

    Args:
        folder: where its entries go.
        inside: folders that are the run's own.
    """

    def __init__(self, folder: str, inside: Sequence[str]) -> None:
        self._folder = folder
        self._noted: set[str] = set()
        self._free = tuple(
            os.path.join(os.path.realpath(each), "")
            for each in (*inside, *_SYSTEM, sys.prefix, *_cache_folders())
        )
        self._inductor = os.path.join(tempfile.gettempdir(), "torchinductor_")

    def note(self, write: Write) -> None:
        """Keep what is at a path that is about to be changed."""
        path = absolute(write.path)
        if path is None or path in self._noted:
            return
        self._noted.add(path)
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if write.through:
            path = os.path.realpath(path)
        if not self._is_free(path):
            # What cannot be kept is not for this process to write either.
            with contextlib.suppress(OSError):
                self._keep(path, write.removes_folder)

    def _is_free(self, path: str) -> bool:
        below = f"{path}{os.sep}"
        return (
            below.startswith((*self._free, self._inductor))
            or f"{os.sep}__pycache__{os.sep}" in below
        )

    def _keep(self, path: str, removes_folder: bool) -> None:
        entry = os.path.join(self._folder, hashlib.sha256(os.fsencode(path)).hexdigest())
        kept = _kept(path)
        if kept is None or (kept == "folder" and not removes_folder):
            return
        if _size(path) > _KEPT_AT_MOST:
            raise TooLargeToKeep(
                f"the script is about to change {path}, outside of its folder, which is too large "
                "for verify and bench to keep aside and put back"
            )
        os.makedirs(self._folder, exist_ok=True)
        # Of several processes the first one that comes keeps it.
        with contextlib.suppress(FileExistsError), open(f"{entry}.json", "x") as file:
            if kept == "file":
                shutil.copy2(path, f"{entry}.kept")
            elif kept == "folder":
                shutil.copytree(path, f"{entry}.kept", symlinks=True)
            target = os.readlink(path) if kept == "link" else ""
            json.dump({"path": path, "was": kept, "target": target}, file)


def _kept(path: str) -> str | None:
    """What is at a path; None for what is neither written nor removed, as a pipe."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return "nothing"
    kinds = ((stat.S_ISREG, "file"), (stat.S_ISDIR, "folder"), (stat.S_ISLNK, "link"))
    return next((name for is_kind, name in kinds if is_kind(mode)), None)


def _size(path: str) -> int:
    """Bytes of a file, or of all files below a folder, counted no further than is needed."""
    if not os.path.isdir(path) or os.path.islink(path):
        return os.lstat(path).st_size if os.path.lexists(path) else 0
    size = 0
    for folder, _, files in os.walk(path):
        size += sum(os.lstat(os.path.join(folder, name)).st_size for name in files)
        if size > _KEPT_AT_MOST:
            break
    return size


def _cache_folders() -> list[str]:
    named = [os.environ[name] for name in _CACHES if os.environ.get(name)]
    return [os.path.expanduser("~/.cache"), *named]
