"""Objects as parts of keys: equal only to themselves, and not kept alive by the key.

An `id` alone will not do: once its object is gone the next one may be given the same.
"""

from __future__ import annotations

import weakref
from typing import Any, Callable


class Identity:
    """Equal only for the same living object."""

    __slots__ = ("_hash", "_kept", "_ref")

    def __init__(self, value: Any, on_death: Callable[[], None] | None = None) -> None:
        """
        Args:
            value: the object; held weakly if it can be.
            on_death: called when it is collected.
        """
        self._hash = id(value)
        self._kept = None
        try:
            told = None if on_death is None else lambda _: on_death()
            self._ref: Callable[[], Any] = weakref.ref(value, told)
        except TypeError:
            self._kept = value
            self._ref = lambda: self._kept

    @property
    def alive(self) -> bool:
        return self._ref() is not None

    @property
    def keeps(self) -> bool:
        """Whether it keeps the object alive, since no weak reference to it can be made."""
        return self._kept is not None

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Identity):
            return NotImplemented
        mine = self._ref()
        return mine is not None and mine is other._ref()
