"""What a helper runs besides its arguments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HeldModule:
    """A module that a helper runs without being given it.

    Attributes:
        name: the global's name, or the attribute of the instance; empty for the instance itself.
        of_instance: it is an attribute of the instance that the helper is a method of.
        root: the list or dict that it is an item of, as the helper calls it; empty if of none.
    """

    name: str
    of_instance: bool
    root: str = ""

    def place(self, instance: str | None) -> str:
        """What the calling function calls it."""
        if not self.name:
            return instance or ""
        return f"{instance}.{self.name}" if self.of_instance else self.name
