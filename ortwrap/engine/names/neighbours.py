"""What the engine asks about the other files of a project; who may read them answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ModuleName:
    """A module as an import statement names it.

    Attributes:
        level: how many dots the import starts with; 0 for an absolute one.
        parts: the names between its dots.
    """

    level: int
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Neighbour:
    """One file of the project.

    Attributes:
        path: tells it apart from all others.
        shown: what people are told of where it lies.
        text: its source.
    """

    path: str
    shown: str
    text: str


class Neighbours(Protocol):
    """Finds the file that an import statement reads."""

    def find(self, module: ModuleName, importer: str, folders: Sequence[str]) -> Neighbour | None:
        """The one file of the project that a module is; None if there is none, or a doubt.

        Args:
            module: its name.
            importer: the path of the file with the import; empty for the script itself.
            folders: what these files add to `sys.path`, as far as it is written out.
        """
        ...

    def mentioning(self, word: str) -> Sequence[Neighbour] | None:
        """The other files of the project that hold a word; None where they cannot all be read."""
        ...
