"""Undoes what a run has changed outside of its sandbox; see recorder/outside.py."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any


def put_back(journal: Path) -> tuple[str, ...]:
    """Leave everything as the run found it, and forget the journal; the paths of its files."""
    entries = _entries(journal)
    new = [path for path, entry in entries.items() if entry["was"] == "nothing"]
    files = [path for path in entries if os.path.isfile(path) or path not in new]
    for path in sorted(new, key=len, reverse=True):
        with contextlib.suppress(OSError):
            # A folder that holds what nobody has seen it write stays.
            os.rmdir(path) if os.path.isdir(path) else os.remove(path)
    for path in sorted(entries.keys() - set(new), key=len):
        with contextlib.suppress(OSError):
            _restore(path, entries[path])
    shutil.rmtree(journal, ignore_errors=True)
    return tuple(sorted(files))


def _entries(journal: Path) -> dict[str, dict[str, Any]]:
    """What was at each path; of an entry that is not whole, nothing was changed yet."""
    entries = {}
    for note in sorted(journal.glob("*.json")):
        with contextlib.suppress(ValueError):
            content = json.loads(note.read_text(encoding="utf-8"))
            entries[content["path"]] = {**content, "kept": note.with_suffix(".kept")}
    return entries


def _restore(path: str, entry: dict[str, Any]) -> None:
    if entry["was"] == "folder":
        shutil.copytree(entry["kept"], path, symlinks=True, dirs_exist_ok=True)
    elif entry["was"] == "link":
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        os.symlink(entry["target"], path)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy2(entry["kept"], path)
