"""What a file was before `--write`, so that `--revert` can put it back.

The original is kept under the hash of the patched bytes: it is found exactly as
long as nobody has edited the file since.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

from ortwrap.cache import key_of, load, store
from ortwrap.outcome import Outcome

_KIND = "originals"


def remember(outcome: Outcome) -> Outcome:
    """Keep a file's original before it is replaced; a cache that is read-only is no error.

    Returns:
        The outcome, which says so where the original could not be kept.
    """
    try:
        store(_KIND, key_of([outcome.patched]), zlib.compress(outcome.original))
    except OSError as error:
        return replace(outcome, unkept=(error.strerror or str(error)).lower())
    return outcome


def original_of(patched: bytes) -> bytes | None:
    """What these bytes were before ortwrap patched them; None when it did not, or forgot."""
    content = load(_KIND, key_of([patched]))
    try:
        return None if content is None else zlib.decompress(content)
    except zlib.error:
        return None
