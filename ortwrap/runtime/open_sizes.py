"""Sizes that only the values of a batch tell: how many rows a mask chooses, how many are not zero.

No size of an argument changes with them: a graph in which such a size is a number is wrong for the
next batch, and no guard would tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable

import torch
from torch import Tensor

from .untraced import untraced

Open = frozenset[int]
"""The numbers that such sizes of a tensor had while it was traced."""

_CHOOSE = frozenset(
    "masked_select nonzero argwhere unique unique_consecutive bincount _pad_packed_sequence".split()
)
_ROWS = frozenset({"nonzero", "argwhere"})
_MAKE = frozenset("arange zeros ones full empty rand randn".split())
_TRUTHS = (torch.bool, torch.uint8)


class OpenSizes:
    """Follows, through one trace, the tensors that have such sizes, and the sizes themselves."""

    def __init__(self) -> None:
        self._of: dict[int, Open] = {}
        self._sizes: set[int] = set()
        # So that no id is used twice.
        self._kept: list[Tensor] = []

    def clear(self) -> None:
        """Forgets all, before another trace."""
        self._of.clear()
        self._sizes.clear()

    def includes(self, tensor: Tensor) -> bool:
        """Whether `tensor` is such a size, or computed from one."""
        return id(tensor) in self._sizes

    def has_first(self, tensor: Tensor) -> bool:
        """Whether the first size of `tensor` is one."""
        opened = self._of.get(id(tensor))
        return bool(opened) and next(iter(_shape(tensor)), 0) in (opened or ())

    def take(self, tensor: Tensor, sizes: Sequence[Tensor]) -> None:
        """`sizes` are what `tensor` says of its own, or their product."""
        opened = self._of.get(id(tensor))
        if opened:
            with untraced():
                product = tensor.numel()
                taken = [size for size in sizes if int(size) in {*opened, product}]
            self._sizes.update(map(id, taken))
            self._kept.extend(taken)

    def make(self, sizes: Sequence[Tensor], operands: Sequence[Tensor]) -> None:
        """`sizes` are computed from `operands`, which are sizes."""
        if any(id(one) in self._sizes for one in operands):
            self._sizes.update(map(id, sizes))
            self._kept.extend(sizes)

    def follow(
        self,
        func: Callable[..., Any],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
        operands: Sequence[Tensor],
        outputs: Sequence[Tensor],
        of_values: bool,
    ) -> None:
        """`func` has computed `outputs` from `operands`.

        Args:
            func: what was called, with `args` and `keywords`.
            operands: the tensors among these.
            outputs: the tensors that it returned.
            of_values: an operand is neither a size nor a number nor a constant.
        """
        name = getattr(func, "__name__", "")
        if _chooses(name, args, keywords, operands) or (of_values and name in _MAKE):
            rows = name in _ROWS or (name == "__getitem__" and isinstance(args[1], Tensor))
            found: list[Iterable[int]] = [
                _shape(output)[: 1 if rows else None] for output in outputs
            ]
        elif any(id(one) in self._of or id(one) in self._sizes for one in operands):
            given = [self._given(one) for one in operands]
            found = [of_computed(_shape(output), given) for output in outputs]
        else:
            return
        self._of.update((id(output), frozenset(sizes)) for output, sizes in zip(outputs, found))
        self._kept.extend(outputs)

    def _given(self, operand: Tensor) -> tuple[Sequence[int], Open]:
        if id(operand) not in self._sizes:
            return _shape(operand), self._of.get(id(operand), frozenset())
        with untraced():
            return (), frozenset({int(operand)})


def _chooses(
    name: str, args: Sequence[Any], keywords: Mapping[str, Any], operands: Sequence[Tensor]
) -> bool:
    """Whether the values of its operands tell the sizes of what a function returns."""
    if name == "where":
        return len(args) + len(keywords) == 1
    if name == "__getitem__":
        return any(one.dtype in _TRUTHS for one in operands[1:])
    if name == "repeat_interleave":
        return len(operands) > 1
    return name in _CHOOSE


def of_computed(sizes: Sequence[int], given: Iterable[tuple[Sequence[int], Open]]) -> Open:
    """The open ones among the sizes of a result.

    Those are all that an operand has for an open one, and those that none has, as the size of rows
    that were flattened: some that are not open may be among them.
    """
    known = list(given)
    opened = {size for _, one in known for size in one}
    fixed = {size for shape, one in known for size in shape if size not in one} | {1}
    return frozenset(size for size in sizes if opened and (size in opened or size not in fixed))


def _shape(tensor: Tensor) -> tuple[int, ...]:
    with untraced():
        return tuple(tensor.shape)
