"""What is live at one point: places that something may read later, some on one condition only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ortwrap.engine.effects.conditions import Condition


@dataclass(frozen=True)
class Live:
    """Live places.

    Attributes:
        places: all of them.
        under: of these, those that are read only if a condition comes out one way.
    """

    places: frozenset[str] = frozenset()
    under: Mapping[str, Condition] = field(default_factory=dict)

    def __or__(self, other: Live) -> Live:
        """Live on either of two ways on."""
        under = {
            place: condition
            for way, beside in ((self, other), (other, self))
            for place, condition in way.under.items()
            if place not in beside.places or beside.under.get(place) == condition
        }
        return Live(self.places | other.places, under)

    def reading(self, places: Iterable[str]) -> Live:
        """Before code that reads these whatever happens."""
        return self | Live(frozenset(places))

    def binding(self, places: Iterable[str]) -> Live:
        """Before code that surely binds these."""
        left = self.places - frozenset(places)
        return Live(left, {place: self.under[place] for place in self.under if place in left})

    def changing(self, changes: set[str], handed: set[str]) -> Live:
        """Before code that may change what a condition reads, so that it was another one.

        Args:
            changes: the places that it changes.
            handed: the objects that it hands to others, as they are written.
        """
        under = {
            place: condition
            for place, condition in self.under.items()
            if condition.outlasts(changes, handed)
        }
        return Live(self.places, under)

    def where(self, condition: Condition | None) -> Live:
        """What is live if the condition comes out its way."""
        if condition is None:
            return self
        opposite = condition.opposite()
        return self.binding(place for place, needed in self.under.items() if needed == opposite)

    def only_under(self, condition: Condition | None) -> Live:
        """The same places where the condition is known to hold: all are read on it only."""
        if condition is None:
            return self
        return Live(self.places, {**dict.fromkeys(self.places, condition), **self.under})


NOTHING = Live()
