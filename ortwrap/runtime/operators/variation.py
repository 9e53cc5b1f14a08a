"""Which sizes of the results of a function go with which sizes of its arguments, found by trying.

Each size of the arguments has a name and the number that it had once. The function is tried with
one of them changed, and with several that must be equal changed alike; one that cannot be changed
without the others is fixed by something else, as the channels of a convolution are by its weights.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Callable, Union

Size = Union[str, int, None]
Shapes = Sequence[Sequence[int]]
Attempt = Callable[[Mapping[str, int]], Union[Shapes, None]]
"""The shapes of the results for these sizes, None when they do not fit together."""

# Multiples of a size are taken wherever a size that must be divisible is.
_FACTORS = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31)
# Of a size that was 0 every number is a multiple: one that much divides.
_INSTEAD_OF_NONE = 720


class Variation:
    """Tries a function with other sizes than those it was seen with."""

    def __init__(self, attempt: Attempt, seen: Mapping[str, int]) -> None:
        """
        Args:
            attempt: tries the function.
            seen: the number that each name stood for.
        """
        self._attempt = attempt
        self._seen = dict(seen)

    def shapes(self) -> list[list[Size] | None] | None:
        """The shape of each result, sizes by name where they have one of the arguments'.

        Returns:
            None for a size that has no such name and is no constant; None for all if the function
            cannot be tried.
        """
        first = self._attempt(self._seen)
        if first is None or len(self._seen) > len(_FACTORS):
            return None
        groups, nameless = self._groups()
        changed = [self._changed(group, factor) for group, factor in zip(groups, _FACTORS)]
        together = dict(self._seen)
        for one in changed:
            together.update(one)
        if self._attempt(together) is None:
            # The names depend on one another in a way that was not found out.
            return None
        trials = [
            _Trial(
                group[0], self._seen[group[0]], one[group[0]], self._attempt({**self._seen, **one})
            )
            for group, one in zip(groups, changed)
        ]
        if nameless:
            other = self._attempt({**self._seen, **self._changed(nameless, _FACTORS[0])})
            trials.append(_Trial(None, 0, 0, other))
        return [
            [_size(trials, index, axis, size) for axis, size in enumerate(shape)]
            for index, shape in enumerate(first)
        ]

    def _groups(self) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
        """Names that change together, and those that only change with one another somehow."""
        groups: list[tuple[str, ...]] = []
        groups += [(name,) for name in self._seen if self._fits((name,))]
        rest = [name for name in self._seen if (name,) not in groups]
        joined: set[str] = set()
        for number in sorted({self._seen[name] for name in rest}):
            equal = tuple(name for name in rest if self._seen[name] == number)
            # All of them, or two when another one has this size by chance.
            for together in (equal, *itertools.combinations(equal, 2)):
                if len(together) > 1 and joined.isdisjoint(together) and self._fits(together):
                    groups.append(together)
                    joined.update(together)
        fixed = tuple(name for name in rest if name not in joined)
        return groups, fixed if len(fixed) > 1 and self._fits(fixed) else ()

    def _fits(self, names: Sequence[str]) -> bool:
        changed = self._changed(names, _FACTORS[0])
        return self._attempt({**self._seen, **changed}) is not None

    def _changed(self, names: Sequence[str], factor: int) -> dict[str, int]:
        return {name: (self._seen[name] or _INSTEAD_OF_NONE) * factor for name in names}


@dataclass(frozen=True)
class _Trial:
    """The function, tried with other sizes.

    Attributes:
        name: of the sizes that were changed; None when they do not have the same.
        seen: their number before.
        changed: their number in the trial.
        shapes: of the results.
    """

    name: str | None
    seen: int
    changed: int
    shapes: Shapes | None


def _size(trials: Sequence[_Trial], index: int, axis: int, size: int) -> Size:
    """One size of the results: a constant, the name of the only sizes that it is, or neither."""
    name: Size = size
    for trial in trials:
        new = trial.shapes[index][axis] if trial.shapes is not None else None
        if new == size:
            continue
        if name != size or trial.name is None or (size, new) != (trial.seen, trial.changed):
            return None
        name = trial.name
    return name
