"""What keeps changing from call to call, where no graph is ever used twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

_TEXT = {str: "text", bytes: "bytes"}


def clue(signatures: Sequence[Hashable]) -> str:
    """A phrase that tells it of the last two of several signatures.

    Args:
        signatures: of calls, each beginning with what `structure.describe` said of the arguments.

    Returns:
        Such as ", as the text of 'name' does"; empty if anything but text differs.
    """
    described = [one[0] for one in signatures[-2:] if isinstance(one, tuple)]
    if len(described) < 2:
        return ""
    differing = set(_texts(described[0], described[1], "an argument"))
    known = sorted(text for text in differing if text is not None)
    return f", as {known[0]} does" if known and len(known) == len(differing) else ""


def _texts(one: Any, other: Any, owner: str) -> Iterator[str | None]:
    """What differs between two descriptions; None for what is no text."""
    if one == other:
        return
    alike = isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other)
    if not alike or not one:
        yield None
    elif len(one) == 2 and one[0] is other[0] and one[0] in _TEXT:
        yield f"the {_TEXT[one[0]]} of {owner}"
    else:
        yield from _parts(one, other, owner)


def _parts(one: tuple[Any, ...], other: tuple[Any, ...], owner: str) -> Iterator[str | None]:
    """The same for what is made of parts, which go by their keys in a dictionary."""
    kind, keys = one[0], one[1] if len(one) == 3 else None
    named = isinstance(kind, type) and isinstance(keys, tuple) and keys == other[1]
    if named and isinstance(one[2], tuple) and len(one[2]) == len(other[2]) == len(keys or ()):
        for key, left, right in zip(keys or (), one[2], other[2]):
            yield from _texts(left, right, repr(key))
    else:
        for left, right in zip(one, other):
            yield from _texts(left, right, owner)
