"""What a file was before `--write`, so that `--revert` can put it back.

The original is kept under the hash of the patched bytes: it is found exactly as
long as nobody has edited the file since.
"""

from __future__ import annotations

import zlib
from contextlib import suppress

from ortwrap.cache import key_of, load, store
from ortwrap.outcome import Outcome

_KIND = "originals"


def remember(outcome: Outcome) -> None:
    """Keep a file's original before it is replaced; a cache that is read-only is no error."""
    with suppress(OSError):
        store(_KIND, key_of([outcome.patched]), zlib.compress(outcome.original))


def original_of(patched: bytes) -> bytes | None:
    """What these bytes were before ortwrap patched them; None when it did not, or forgot."""
    content = load(_KIND, key_of([patched]))
    try:
        return None if content is None else zlib.decompress(content)
    except zlib.error:
        return None
