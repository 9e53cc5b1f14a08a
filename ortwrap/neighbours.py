"""The other files of a script's project, found as Python would find them when the script runs.

Only what is certain is answered: a module that two files could be, or that lies outside of the
project, is none. Installed packages are never looked at.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any

from ortwrap.cache import key_of
from ortwrap.engine.names.neighbours import ModuleName, Neighbour
from ortwrap.source import SourceError, decode, read_bytes
from ortwrap.source_folders import source_folders
from ortwrap.walk import python_files

_LARGEST = 400_000
_HIGHEST = 8
_MOST_FILES = 2000
_MARKS = (".git", "pyproject.toml", "setup.py", "setup.cfg")
_INSTALLED = frozenset(
    "torch torchvision torchaudio numpy scipy pandas sklearn matplotlib transformers diffusers "
    "timm accelerate lightning pytorch_lightning ignite onnx onnxruntime ortwrap tqdm yaml PIL cv2 "
    "tensorboard wandb".split()
)
# Python 3.9 does not tell what its standard library holds.
_STANDARD: frozenset[str] = getattr(sys, "stdlib_module_names", frozenset(sys.builtin_module_names))


@dataclass(frozen=True)
class Answer:
    """What was asked, and the digest of the file that answered; empty where none did.

    Attributes:
        module: the module that was asked for.
        importer: for which file of the project.
        folders: what is added to `sys.path`.
        digest: names the content of the file and the file.
        word: what was looked for in all files of the project instead of a module.
    """

    module: ModuleName
    importer: str
    folders: tuple[str, ...]
    digest: str
    word: str = ""

    def as_row(self) -> list[Any]:
        """As JSON keeps it."""
        name, asked = self.module, [self.importer, list(self.folders)]
        return [name.level, list(name.parts), *asked, self.digest, self.word]

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Answer:
        """From what `as_row` gave.

        Raises:
            ValueError, TypeError: it gave no such row.
        """
        level, parts, importer, folders, digest, word = row
        return cls(ModuleName(level, tuple(parts)), importer, tuple(folders), digest, word)


class ProjectFiles:
    """Answers for one script.

    Args:
        script: its path.
        project: the folder that nothing is read outside of; None to find it.
    """

    def __init__(self, script: str, project: str | None = None) -> None:
        self._script = os.path.abspath(script)
        self._home = os.path.dirname(self._script)
        self._given = project
        self._found: dict[tuple[ModuleName, str, tuple[str, ...]], Neighbour | None] = {}
        self._mentioning: dict[str, list[Neighbour] | None] = {}

    def find(self, module: ModuleName, importer: str, folders: Sequence[str]) -> Neighbour | None:
        """As `Neighbours` says."""
        asked = (module, importer if module.level else "", () if module.level else tuple(folders))
        if asked not in self._found:
            self._found[asked] = self._read(*asked)
        return self._found[asked]

    def mentioning(self, word: str) -> list[Neighbour] | None:
        """As `Neighbours` says."""
        if word not in self._mentioning:
            self._mentioning[word] = self._search(word)
        return self._mentioning[word]

    def _search(self, word: str) -> list[Neighbour] | None:
        paths = list(islice(python_files(self._project), _MOST_FILES + 1))
        others = [path for path in map(os.path.realpath, paths) if path != self._real_script]
        texts = [_text_of(path) for path in others]
        if len(paths) > _MOST_FILES or None in texts:
            return None
        return [
            Neighbour(path, os.path.relpath(path, self._project), text)
            for path, text in zip(others, texts)
            if text is not None and word in text
        ]

    @cached_property
    def _real_script(self) -> str:
        return os.path.realpath(self._script)

    @cached_property
    def _project(self) -> str:
        return os.path.abspath(self._given) if self._given else _project_of(self._home)

    @property
    def answers(self) -> list[Answer]:
        """Everything that was asked so far."""
        modules = [Answer(*asked, _digest(found)) for asked, found in self._found.items()]
        return modules + [
            Answer(ModuleName(0, ()), "", (), _digest_of_all(found), word)
            for word, found in self._mentioning.items()
        ]

    def still_holds(self, answer: Answer) -> bool:
        """The same question would be answered by the same text."""
        if answer.word:
            return _digest_of_all(self.mentioning(answer.word)) == answer.digest
        found = self.find(answer.module, answer.importer, answer.folders)
        return _digest(found) == answer.digest

    def _read(
        self, module: ModuleName, importer: str, folders: tuple[str, ...]
    ) -> Neighbour | None:
        if module.level:
            found = set(self._relative(module, importer or self._script))
        elif module.parts[0] in _STANDARD or module.parts[0] in _INSTALLED:
            return None
        else:
            near = [*self._roots(), *self._added(folders)]
            found = _modules_in(near, module) or _modules_in(self._installed_from, module)
        inside = {path for path in found if _is_below(path, self._project)}
        if len(found) != 1 or len(inside) != 1:
            return None
        path = inside.pop()
        text = _text_of(path)
        return None if text is None else Neighbour(path, os.path.relpath(path, self._project), text)

    @cached_property
    def _installed_from(self) -> tuple[str, ...]:
        """Where a package of this project stands that is found in no folder around the script."""
        return source_folders(self._project)

    def _relative(self, module: ModuleName, importer: str) -> Iterator[str]:
        """One dot is the importer's own package, each further one the package around."""
        folder = os.path.dirname(importer)
        for _ in range(module.level - 1):
            folder = os.path.dirname(folder)
        return _module_in(folder, module.parts)

    def _roots(self) -> Iterator[str]:
        """The script's folder and those around it, as far as the project goes."""
        folder = self._home
        for _ in range(_HIGHEST):
            yield folder
            if folder == self._project or not _is_below(folder, self._project):
                return
            folder = os.path.dirname(folder)

    def _added(self, folders: Sequence[str]) -> Iterator[str]:
        """A folder of `sys.path` that is relative counts from where the script is started."""
        for root in self._roots():
            yield from (os.path.normpath(os.path.join(root, folder)) for folder in folders)


def _project_of(home: str) -> str:
    """The repository around a folder, else where the user works, else its outermost package."""
    folder = home
    for _ in range(_HIGHEST):
        if any(os.path.exists(os.path.join(folder, mark)) for mark in _MARKS):
            return folder
        folder = os.path.dirname(folder)
    works_in = os.getcwd()
    if _is_below(home, works_in):
        return works_in
    folder = home
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


def _modules_in(folders: Iterable[str], module: ModuleName) -> set[str]:
    return {path for folder in folders for path in _module_in(folder, module.parts)}


def _module_in(folder: str, parts: tuple[str, ...]) -> Iterator[str]:
    """The file of a module in a folder; a package goes before a module of its name."""
    base = os.path.join(folder, *parts)
    for path in (os.path.join(base, "__init__.py"), f"{base}.py"):
        if (parts or path.endswith("__init__.py")) and os.path.isfile(path):
            yield os.path.realpath(path)
            return


def _is_below(path: str, folder: str) -> bool:
    folder = os.path.realpath(folder)
    return os.path.realpath(path) == folder or os.path.realpath(path).startswith(
        os.path.join(folder, "")
    )


def _text_of(path: str) -> str | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    if stat.st_size > _LARGEST:
        return None
    return _text(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _text(path: str, size: int, changed: int) -> str | None:
    """The source of a file of that size and time; None if it is no text that Python reads."""
    del size, changed  # they tell an old content from a new one
    try:
        return decode(read_bytes(path), path).text
    except SourceError:
        return None


def _digest(found: Neighbour | None) -> str:
    return "" if found is None else key_of([found.path.encode(), found.text.encode()])


def _digest_of_all(found: Sequence[Neighbour] | None) -> str:
    return "" if found is None else key_of([_digest(each).encode() for each in found])
