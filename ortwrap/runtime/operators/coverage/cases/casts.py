"""Casts to the dtype that a tensor has already, and to another one."""

from __future__ import annotations

from typing import Callable

import torch
from torch import Tensor

from ..case import AfterLinear, Case, functions, noise


def _overlaps(cast: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """How far each column overlaps with a mask of its own, of columns that are cast.

    Args:
        cast: takes the column and the matrix that it is of.
    """

    def overlaps(y: Tensor) -> Tensor:
        mask = (y > 0).type_as(y)
        return torch.stack([_overlap(cast(y[:, i], y), cast(mask[:, i], y)) for i in range(3)])

    return overlaps


def _overlap(column: Tensor, mask: Tensor) -> Tensor:
    return (column * mask).sum() / ((column * column).sum() + (mask * mask).sum() + 1)


def _changed_afterwards(y: Tensor) -> Tensor:
    """What a cast returns that changes nothing is the tensor itself."""
    doubled = y * 2
    doubled.to(y.dtype).mul_(3)
    return doubled + y


CASES = (
    *functions(
        {
            "to(dtype) of that dtype": _overlaps(lambda part, y: part.to(y.dtype)),
            "to(device, dtype) of that dtype": _overlaps(lambda part, y: part.to("cpu", y.dtype)),
            "to(other) of that dtype": _overlaps(lambda part, y: part.to(y)),
            "type(dtype) of that dtype": _overlaps(lambda part, y: part.type(y.dtype)),
            "type_as of that dtype": _overlaps(lambda part, y: part.type_as(y)),
            "to(dtype) of that dtype, in place": _changed_afterwards,
            "long() of integers, bool() of truths": lambda y: (
                y * (y > 0).bool() * y.argmax(1, keepdim=True).long()
            ),
            "double() of slices": _overlaps(lambda part, y: part.double()),
        }
    ),
    Case(
        "float() of slices",
        lambda: AfterLinear(_overlaps(lambda part, y: part.float())),
        noise(3, 4),
        eager_in_double="float32 inside rounds in another order",
    ),
)
