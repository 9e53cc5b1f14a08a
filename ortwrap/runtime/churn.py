"""Models that get another wrapper every call or two, since some part of it is made anew.

A criterion with the weights of its batch is one: each would be exported, for one call.
"""

from __future__ import annotations

from collections.abc import Hashable

from .identity import Identity
from .memo import is_alive

_FEW_CALLS = 2

# How many wrappers, one after the other, lived for a few calls only: by their class and those of
# their parts that live on.
_SHORT_LIVED: dict[tuple[Hashable, frozenset[Identity]], int] = {}


def note(key: Hashable, calls: int) -> None:
    """A wrapper is gone with one of its parts, or since it kept one alive.

    Args:
        key: what `memo.key_of` knew it by.
        calls: how many it has served.
    """
    for group in [one for one in list(_SHORT_LIVED) if not all(part.alive for part in one[1])]:
        _SHORT_LIVED.pop(group, None)
    kind, parts = _parts(key)
    left = frozenset(part for part in parts if is_alive(part) and not part.keeps)
    if left:
        few = calls <= _FEW_CALLS
        _SHORT_LIVED[kind, left] = _SHORT_LIVED.get((kind, left), 0) + 1 if few else 0


def times(key: Hashable) -> int:
    """How often a wrapper of these parts, but for those made anew, was made for a call or two."""
    kind, parts = _parts(key)
    lived = list(_SHORT_LIVED.items())
    known = (count for (of, left), count in lived if of == kind and left <= parts)
    return max(known, default=0)


def _parts(key: Hashable) -> tuple[Hashable, frozenset[Identity]]:
    """The class of a wrapper, and those of its parts that are known by identity."""
    assert isinstance(key, tuple), "a key of `memo.key_of`"
    kind, parts = key
    return kind, frozenset(part for part in parts if isinstance(part, Identity))
