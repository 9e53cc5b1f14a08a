"""A temporary copy of the script's surroundings, so that a run overwrites nothing of its user's.

Small files are copied. What would take long to copy, and the folders beside the copied one
(`../data`), are symbolic links; the recorder replaces a link by a copy when the script writes
there (see recorder/copy_up.py).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ortwrap.proof.patched import CannotVerify

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_COPIED_FILE = 16 * 2**20
_COPIED_TOTAL = 64 * 2**20
_COPIED_ENTRIES = 5_000
_LINKED_SIBLINGS = 1_000
# Never written by a training script, and large.
_LINKED_FOLDERS = frozenset({".git", ".hg", ".venv", "venv", "node_modules", "site-packages"})
_LEFT_OUT = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})


@dataclass(frozen=True)
class Sandbox:
    """Where the copies are.

    Attributes:
        root: the temporary folder; everything is below it.
        script: the copy of the script.
        cwd: the copy of the working directory.
        originals: (copy, original) folders, to translate paths in messages.
    """

    root: Path
    script: Path
    cwd: Path
    originals: tuple[tuple[Path, Path], ...]

    def copy_of(self, path: Path) -> Path:
        """Where the copy of one of the user's files is.

        Raises:
            ValueError: it is in none of the copied folders.
        """
        return _translate(path.resolve(), self.originals)

    def in_users_paths(self, text: str) -> str:
        """`text` with paths below the sandbox turned into those that the user knows."""
        for copy, original in self.originals:
            text = text.replace(str(copy), str(original))
        return text

    def in_copied_paths(self, text: str) -> str:
        """The other way round, for a path that the user's environment holds."""
        for copy, original in self.originals:
            if text == str(original) or text.startswith(f"{original}{os.sep}"):
                return f"{copy}{text[len(str(original)) :]}"
        return text


@contextlib.contextmanager
def sandbox(script: Path, cwd: Path, parent: Path | None = None) -> Iterator[Sandbox]:
    """Copy what `script`, started in `cwd`, may read or write; gone at the end.

    Args:
        script: the script, an existing file.
        cwd: the folder that it is started in.
        parent: where to make the copy. Two sandboxes made one after the other in the same
            parent have the same paths, so that nothing a script derives from its path differs.

    Raises:
        CannotVerify: the disk is full.
    """
    script, cwd = script.resolve(), cwd.resolve()
    with _folder(parent) as root:
        copier = _Copier(root if parent is None else parent.resolve())
        originals = tuple(
            (root / str(i) / original.name, original)
            for i, original in enumerate(_folders(script.parent, cwd))
        )
        with _explaining_no_room():
            for copy, original in originals:
                copier.copy(original, copy, first=script.parent)
                copier.link_siblings(original, copy.parent)
        yield Sandbox(
            root=root,
            script=_translate(script, originals),
            cwd=_translate(cwd, originals),
            originals=originals,
        )


@contextlib.contextmanager
def _folder(parent: Path | None) -> Iterator[Path]:
    if parent is None:
        root = Path(tempfile.mkdtemp(prefix="ortwrap-")).resolve()
    else:
        root = parent.resolve() / "run"
        root.mkdir()
    try:
        yield root
    finally:
        # A process that is just being killed may still write.
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def _explaining_no_room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise CannotVerify(
            f"{tempfile.gettempdir()} has no room for the copy of the script's folder that is "
            "run; name a folder that has in TMPDIR"
        ) from error


def _folders(script_folder: Path, cwd: Path) -> tuple[Path, ...]:
    """The folders to copy: one when one holds the other, else both."""
    if cwd == script_folder or cwd in script_folder.parents:
        return (cwd,)
    if script_folder in cwd.parents:
        return (script_folder,)
    return (script_folder, cwd)


def _translate(path: Path, originals: tuple[tuple[Path, Path], ...]) -> Path:
    for copy, original in originals:
        if path == original or original in path.parents:
            return copy / path.relative_to(original)
    raise ValueError(f"{path} is in none of the copied folders")


class _Copier:
    """Copies until its budget is spent, and links from then on.

    Args:
        workspace: where the copies go; it may lie in what is copied, and is left out.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = str(workspace)
        self._bytes = 0
        self._entries = 0

    def copy(self, original: Path, copy: Path, first: Path) -> None:
        """Copy a tree, breadth first, beginning with the folder `first` below it."""
        above = [folder for folder in (first, *first.parents) if original in folder.parents]
        queue = deque([*above, original])
        for folder in queue:
            (copy / folder.relative_to(original)).mkdir(parents=True, exist_ok=True)
        needed = frozenset(queue)
        while queue:
            folder = queue.popleft()
            target = copy / folder.relative_to(original)
            entries = self._entries_of(folder)
            self._entries += len(entries)
            if self._entries > _COPIED_ENTRIES and folder not in needed:
                target.rmdir()
                self._link(str(folder), target)
                continue
            for entry in entries:
                if self._try_to_copy(entry, target / entry.name):
                    queue.append(Path(entry.path))

    def link_siblings(self, original: Path, parent: Path) -> None:
        """Let `../data` lead where it leads from the original."""
        siblings = self._entries_of(original.parent)
        if original.parent == original or len(siblings) > _LINKED_SIBLINGS:
            return
        for entry in siblings:
            if not os.path.lexists(parent / entry.name):
                self._link(entry.path, parent / entry.name)

    def _entries_of(self, folder: Path) -> list[os.DirEntry[str]]:
        return [
            entry
            for entry in _entries(folder)
            if entry.name not in _LEFT_OUT and entry.path != self._workspace
        ]

    def _try_to_copy(self, entry: os.DirEntry[str], target: Path) -> bool:
        """As `_copy_entry`, which here may fail for any reason but a full disk."""
        try:
            return self._copy_entry(entry, target)
        except OSError as error:
            # Other programs may be at work here: files vanish, links lead in circles.
            if error.errno in _NO_ROOM:
                raise
            return False

    def _copy_entry(self, entry: os.DirEntry[str], target: Path) -> bool:
        """Copy or link a file, make a folder; whether the folder is still to be filled."""
        if os.path.lexists(target):
            return False
        if entry.is_dir(follow_symlinks=False) and self._worth_copying(entry):
            target.mkdir()
            return True
        size = entry.stat(follow_symlinks=False).st_size
        small = size <= _COPIED_FILE and self._bytes + size <= _COPIED_TOTAL
        if entry.is_file(follow_symlinks=False) and small and os.access(entry.path, os.R_OK):
            self._bytes += size
            shutil.copy2(entry.path, target)
        elif entry.is_file() or entry.is_dir():
            self._link(entry.path, target)
        return False

    def _worth_copying(self, entry: os.DirEntry[str]) -> bool:
        environment = os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))
        # Another file system: a mounted data set, /proc.
        mounted = os.path.ismount(entry.path)
        return not environment and not mounted and entry.name not in _LINKED_FOLDERS

    def _link(self, path: str, target: Path) -> None:
        target.symlink_to(os.path.realpath(path))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in `folder` by name, nothing where it may not be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
