"""The Python files of a folder, as git sees them: what is ignored is not ours to change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# Never a project's own source, whether or not a .gitignore says so.
_NEVER = frozenset(
    (
        *(".eggs", ".git", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pytest_cache"),
        *(".ruff_cache", ".svn", ".tox", "__pycache__", "__pypackages__", "node_modules"),
        "site-packages",
    )
)


@dataclass(frozen=True)
class _Ignore:
    """The patterns of one .gitignore file, which hold below the folder it lies in."""

    folder: str
    spec: GitIgnoreSpec

    def verdict(self, path: str, *, is_folder: bool) -> bool | None:
        """True ignored, False named by a `!pattern`, None not spoken of."""
        relative = os.path.relpath(path, self.folder).replace(os.sep, "/")
        return self.spec.check_file(f"{relative}/" if is_folder else relative).include


@dataclass(frozen=True)
class Selection:
    """Which files a folder is searched for, besides what git ignores.

    Attributes:
        root: the folder that the patterns are relative to.
        include: gitignore patterns of which a file must match one.
        exclude: gitignore patterns of which neither a file nor its folders may match one.
    """

    root: str = "."
    include: tuple[str, ...] = ("*.py",)
    exclude: tuple[str, ...] = ()

    def excludes(self, path: str) -> bool:
        """Whether a path, or a folder that it lies in, matches `exclude`."""
        if not self.exclude:
            return False
        from pathspec import GitIgnoreSpec

        return GitIgnoreSpec.from_lines(self.exclude).match_file(self._relative(path))

    def includes(self, path: str) -> bool:
        """Whether a file matches `include`."""
        if self.include == ("*.py",):
            return path.endswith(".py")  # nearly every project; spares an import
        from pathspec import GitIgnoreSpec

        return GitIgnoreSpec.from_lines(self.include).match_file(self._relative(path))

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self.root).replace(os.sep, "/")


def python_files(folder: str, selection: Selection = Selection()) -> Iterator[str]:
    """Every file below `folder` that the selection wants, in a stable order.

    Left out: what a .gitignore on the way covers, virtual environments, caches,
    linked folders (they may lead in circles), and a file that was given already
    under another name.
    """
    seen: set[str] = set()
    for path in _walk(folder, _inherited(folder)):
        if selection.includes(path) and not selection.excludes(path):
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield path


def _walk(folder: str, ignores: tuple[_Ignore, ...]) -> Iterator[str]:
    ignores = (*ignores, *_ignores_of(folder, ".gitignore"))
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return  # a folder that may not be read is as good as ignored
    for entry in entries:
        path = os.path.join(folder, entry.name) if folder != "." else entry.name
        if entry.is_dir(follow_symlinks=False):
            if not _is_foreign(path, entry.name) and not _ignored(path, ignores, is_folder=True):
                yield from _walk(path, ignores)
        elif _is_file(entry) and not _ignored(path, ignores, is_folder=False):
            yield path


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself
        return False


def _is_foreign(path: str, name: str) -> bool:
    return name in _NEVER or os.path.exists(os.path.join(path, "pyvenv.cfg"))


def _ignored(path: str, ignores: tuple[_Ignore, ...], *, is_folder: bool) -> bool:
    # As in git, the nearest .gitignore that speaks of a path decides.
    for ignore in reversed(ignores):
        verdict = ignore.verdict(os.path.abspath(path), is_folder=is_folder)
        if verdict is not None:
            return verdict
    return False


def _inherited(folder: str) -> tuple[_Ignore, ...]:
    """The ignores that hold above `folder`, from the repository's root down."""
    above: list[str] = []
    here = os.path.abspath(folder)
    while not os.path.exists(os.path.join(here, ".git")):
        parent = os.path.dirname(here)
        if parent == here:
            return ()  # in no repository
        here = parent
        above.append(here)
    exclude = _ignores_of(here, os.path.join(".git", "info", "exclude"))
    found = [ignore for place in reversed(above) for ignore in _ignores_of(place, ".gitignore")]
    return (*exclude, *found)


def _ignores_of(folder: str, name: str) -> tuple[_Ignore, ...]:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return ()
    from pathspec import GitIgnoreSpec

    # To git, a line that is no pattern says nothing.
    patterns = [line for line in lines if is_pattern(line)]
    return (_Ignore(os.path.abspath(folder), GitIgnoreSpec.from_lines(patterns)),)


def is_pattern(line: str) -> bool:
    """Whether a line of a .gitignore can be understood; blank ones and comments can."""
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
