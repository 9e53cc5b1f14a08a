"""Which sizes of its arguments a model has turned into numbers while it was traced.

A graph in which the length of sequences is fixed, since a loop goes over them, is right for batches
of any size that have this length: they need not be compared with eager anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from .fixed_sizes import is_fixed
from .testimony import Axes


class Sizes:
    """Follows, through one trace, the tensors that stand for sizes."""

    def __init__(self) -> None:
        self._arguments = 0
        # For tensors that are an argument as it is: which.
        self._given: dict[int, int] = {}
        # For tensors that stand for a size: which sizes of arguments it is made of, if no others.
        self._axes: dict[int, Axes] = {}

    def clear(self, arguments: int) -> None:
        """Forgets all, before another trace of so many arguments."""
        self._arguments = arguments
        self._given.clear()
        self._axes.clear()

    def enter(self, tensor: Tensor, index: int) -> None:
        """`tensor` is the argument of that index."""
        self._given[id(tensor)] = index

    def axis(self, tensor: Tensor, axis: int) -> Axes | None:
        """One size of a tensor, None if that is no argument."""
        index = self._given.get(id(tensor))
        return None if index is None else frozenset({(index, axis % max(tensor.dim(), 1))})

    def changing(self, sizes: Sequence[Tensor]) -> Axes | None:
        """The sizes of arguments that `sizes` are made of, but for those that the model fixes."""
        return self.of([size for size in sizes if not is_fixed(size, self._arguments)])

    def of(self, sizes: Sequence[Tensor]) -> Axes | None:
        """The sizes of arguments that `sizes` are made of, None if of others as well."""
        found: Axes = frozenset()
        for size in sizes:
            axes = self._axes.get(id(size))
            if axes is None:
                return None
            found |= axes
        return found

    def take(
        self,
        args: Sequence[Any],
        keywords: Mapping[str, Any],
        outputs: Sequence[Tensor],
        every: bool,
    ) -> None:
        """`outputs` are what a tensor says of its sizes: of every one, or of one."""
        axis = args[1] if len(args) > 1 else keywords.get("dim")
        axes = range(len(outputs)) if every else [axis]
        for output, which in zip(outputs, axes):
            found = self.axis(args[0], which) if isinstance(which, int) else None
            if found is not None:
                self._axes[id(output)] = found

    def make(self, outputs: Sequence[Tensor], operands: Sequence[Tensor]) -> None:
        """`outputs` are computed from `operands`, which are sizes."""
        axes = self.of(operands)
        if axes is not None:
            self._axes.update((id(output), axes) for output in outputs)
