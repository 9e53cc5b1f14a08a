"""One thread at a time learns how a call is to be run: an export changes all of torch meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

_LEARNING = threading.RLock()


@contextlib.contextmanager
def own_turn() -> Iterator[bool]:
    """Yields whether no other thread learns. It is not waited for: it may wait for this one."""
    if not _LEARNING.acquire(blocking=False):
        yield False
        return
    try:
        yield True
    finally:
        _LEARNING.release()
