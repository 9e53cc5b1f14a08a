"""Files added to an installed package's folder, remembered so that they can be taken back."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MANIFEST_NAME = "ortwrap-added.json"

_ASIDE_SUFFIX = ".before-ortwrap"


@dataclass(frozen=True)
class Manifest:
    """What was added to a folder, and for which versions.

    Attributes:
        key: the versions that the files were built for.
        added: file name -> SHA-256 of what was put there.
        aside: names of files that were in the way and lie beside it under another name.
    """

    key: str
    added: Mapping[str, str]
    aside: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """The manifest in `folder`; None when there is none or it cannot be understood."""
        try:
            fields = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
            return cls(str(fields["key"]), dict(fields["added"]), tuple(fields["aside"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        fields = {"key": self.key, "added": dict(self.added), "aside": list(self.aside)}
        with replacing(folder / MANIFEST_NAME) as temporary:
            temporary.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")


def add_files(folder: Path, files: Iterable[Path], key: str, in_the_way: Iterable[Path]) -> None:
    """Copies `files` into `folder` and moves `in_the_way` aside.

    The manifest is written first: a process that dies half way leaves nothing unaccounted for.
    """
    files, in_the_way = tuple(files), tuple(in_the_way)
    added = {path.name: digest_of(path) for path in files}
    Manifest(key, added, tuple(path.name for path in in_the_way)).write(folder)
    for path in in_the_way:
        os.replace(path, path.with_name(path.name + _ASIDE_SUFFIX))
    for path in files:
        with replacing(folder / path.name) as temporary:
            shutil.copyfile(path, temporary)


def remove_added_files(folder: Path) -> tuple[Path, ...]:
    """Takes back what `add_files` added, and puts back what it moved aside.

    A file that somebody changed since is theirs now and stays.

    Returns:
        The files that were removed; empty when nothing had been added.
    """
    manifest = Manifest.read(folder)
    if manifest is None:
        return ()
    removed = []
    for name, digest in manifest.added.items():
        path = folder / name
        if path.is_file() and digest_of(path) == digest:
            path.unlink()
            removed.append(path)
    for name in manifest.aside:
        aside = folder / (name + _ASIDE_SUFFIX)
        if aside.is_file() and not (folder / name).exists():
            os.replace(aside, folder / name)
    (folder / MANIFEST_NAME).unlink()
    return tuple(removed)


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name in the same folder that becomes `path` when the block succeeds."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
