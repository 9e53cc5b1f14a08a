"""What ortwrap remembers between runs, in the user's cache: all of it may be deleted any time.

Entries are single files named after a hash of all that they depend on, so that
processes need not agree on anything and no entry is ever stale.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from ortwrap.atomic import replace


def cache_folder(kind: str) -> Path:
    """The folder of one kind of entries; `ORTWRAP_CACHE` moves all of them.

    Raises:
        OSError: neither a cache nor a home is known, as of a user whom only a container knows.
    """
    chosen = os.environ.get("ORTWRAP_CACHE")
    if chosen:
        return Path(os.path.expanduser(chosen)) / kind
    home = os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    if home.startswith("~"):
        raise FileNotFoundError(errno.ENOENT, "no home folder is known")
    return Path(home) / "ortwrap" / kind


def key_of(parts: Iterable[bytes]) -> str:
    """A name for an entry that depends on `parts` and their order, and on nothing else."""
    import hashlib  # OpenSSL takes 15 ms to load: only where it is used

    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def load(kind: str, key: str) -> bytes | None:
    """An entry, or None when there is none or it cannot be read."""
    try:
        return (cache_folder(kind) / key[:2] / key).read_bytes()
    except OSError:
        return None


def store(kind: str, key: str, content: bytes) -> None:
    """Keep an entry.

    Raises:
        OSError: the cache cannot be written to.
    """
    folder = cache_folder(kind) / key[:2]
    folder.mkdir(parents=True, exist_ok=True)
    replace(str(folder / key), content, durable=False)
