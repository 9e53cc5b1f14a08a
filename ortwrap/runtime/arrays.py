"""NumPy arrays among the arguments: the indices of a split, say, that every step is given.

A graph holds what they hold, so that it serves calls with the same ones alone. That pays where they
come again, and not where they are the batch.
"""

from __future__ import annotations

from . import settings
from .family import Family


class Arrays:
    """Whether the arrays of one wrapper's calls come again.

    Attributes:
        may_repeat: they do, or too few were seen to tell.
    """

    def __init__(self) -> None:
        self.may_repeat = True
        self._seen_once = 0

    def are_new(self, family: Family) -> bool:
        """Notes a call whose signature holds arrays; whether it is the first of its family."""
        if family.calls_with_arrays == 2:
            return False
        family.calls_with_arrays += 1
        is_first = family.calls_with_arrays == 1
        self._seen_once += 1 if is_first else -1
        self.may_repeat = self._seen_once <= settings.MAX_GRAPHS
        return is_first
