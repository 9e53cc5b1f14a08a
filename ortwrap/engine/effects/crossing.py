"""What a statement between the model call and the loss would trade places with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import libcst as cst


@dataclass(frozen=True)
class Crossing:
    """What of the slice would run on the other side of a statement.

    Attributes:
        named: places it reads.
        reads: these, with everything that may be the same objects.
        runs_module: it runs a trainable module, whose random numbers and buffers follow the
            order.
        draws: what of it may draw random numbers; empty if nothing does.
        draws_beside_torch: the same for the generators of Python and NumPy.
        beside: its statements, where they may trade places with modules of their own.
    """

    named: frozenset[str]
    reads: frozenset[str]
    runs_module: bool
    draws: str
    draws_beside_torch: str
    beside: tuple[cst.CSTNode, ...]

    def reads_of(self, instance: str, place: str) -> bool:
        """It reads the attribute of its `instance` that a method of the same knows as `place`."""
        return _renamed(place, instance) in self.reads or instance in self.named

    def elsewhere(self, names: frozenset[str]) -> Crossing:
        """The same for a function of another file, where it may read any of `names`."""
        return replace(self, named=names, reads=names, beside=())

    def elsewhere_on(self, names: frozenset[str], ours: str | None, theirs: str | None) -> Crossing:
        """The same for a method of the same instance, which is called `ours` here."""
        if ours is None or theirs is None or ours in self.named:
            return self.elsewhere(names)
        read = {_renamed(place, theirs) for place in self.reads if place.startswith(f"{ours}.")}
        others = {name for name in names if name.partition(".")[0] != theirs}
        return self.elsewhere(frozenset(others | read))


def _renamed(place: str, instance: str) -> str:
    return f"{instance}.{place.partition('.')[2]}"
