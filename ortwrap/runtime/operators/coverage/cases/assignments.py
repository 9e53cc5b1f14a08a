"""Assignments to parts of a tensor: by masks, by indices, to slices, in place."""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch import Tensor

from ..case import functions

Key = Callable[[Tensor], Any]
_COLUMNS = torch.tensor([True, False] * 3)


def _assigned(key: Key, value: Callable[[Tensor], Any]) -> Callable[[Tensor], Tensor]:
    """`result[key] = value`, both made of what a linear layer returns, of six columns."""

    def assign(y: Tensor) -> Tensor:
        result = y * 2
        result[key(y)] = value(y)
        return result

    return assign


def _of_pairs(key: Key, value: Callable[[Tensor], Any]) -> Callable[[Tensor], Tensor]:
    """The same, in three dimensions."""
    assign = _assigned(key, value)
    return lambda y: assign(y.view(-1, 2, 3))


def _some(y: Tensor) -> Tensor:
    """A mask of its rows."""
    return torch.arange(y.shape[0]) % 2 == 0


def _positive(y: Tensor) -> Tensor:
    """A mask of its rows, and columns."""
    return y.detach().sum(2) > 0


def _parts_in_turn(y: Tensor) -> Tensor:
    result, mask = y * 2, _some(y)
    result[mask, 0] = 0.5
    result[~mask, 1] = y[~mask, 2]
    result[mask, 0] += 1
    result[0, 0] = 3
    result[:, 5] = y[:, 4]
    result[:, 1:3].masked_fill_(mask[:, None], 0.25)
    return result


def _of_a_view(y: Tensor) -> Tensor:
    result = y * 2
    result[:, 1:3][_some(y)] = y[_some(y)][:, :2].exp()
    result[:, 0][_some(y)] = 0.5
    return result


def _taken_before(y: Tensor) -> Tensor:
    """What a part holds changes with the whole, and the other way round."""
    result = y * 2
    column = result[:, 1]
    result[_some(y), 1] = 0.25
    for index in range(3):
        other = result[:, index]
        other[~_some(y)] = float(index)
    return result + column[:, None] * other[:, None]


def _of_truths(y: Tensor) -> Tensor:
    seen = torch.ones(y.shape[0], 6, dtype=torch.bool)
    seen[_some(y), 1:3] = False
    return y * seen


def _of_integers(y: Tensor) -> Tensor:
    counts = torch.zeros(y.shape[0], 6).long()
    counts[_some(y), 1] = 3
    return y * counts


def _in_place(y: Tensor) -> Tensor:
    result = y * 2
    result[:, 0] += 1
    result[0].fill_(0.5)
    result[:, 1:3].copy_(y[:, :2].exp())
    return result


CASES = tuple(
    functions(
        {
            "x[mask] = rows": _assigned(_some, lambda y: y[_some(y)].exp()),
            "x[mask] = a row": _assigned(_some, lambda y: y[0].exp()),
            "x[mask] = a mean": _assigned(lambda y: y.detach() > 0, lambda y: y.mean()),
            "x[mask, 0] = 0": _assigned(lambda y: (_some(y), 0), lambda y: 0.0),
            "x[mask, 0] = y": _assigned(lambda y: (_some(y), 0), lambda y: y[_some(y), 1]),
            "x[mask, -1] = a mean": _assigned(lambda y: (_some(y), -1), lambda y: y.mean()),
            "x[mask, 1:3] = y": _assigned(
                lambda y: (_some(y), slice(1, 3)), lambda y: y[_some(y)][:, 3:5]
            ),
            "x[mask, :] = y": _assigned(
                lambda y: (_some(y), slice(None)), lambda y: y[_some(y)].exp()
            ),
            "x[mask, index] = y": _assigned(
                lambda y: (_some(y), torch.tensor(2)), lambda y: y[_some(y), 3]
            ),
            "x[mask, indices] = y": _assigned(
                lambda y: (_some(y), y.argmax(1)[_some(y)]), lambda y: 0.25
            ),
            "x[0, mask] = y": _assigned(lambda y: (0, _COLUMNS), lambda y: y[1, :3]),
            "x[1:, mask] = 0": _assigned(lambda y: (slice(1, None), _COLUMNS), lambda y: 0.0),
            "x[..., mask] = 0": _assigned(lambda y: (..., _COLUMNS), lambda y: 0.0),
            "x[mask, 0] = y, of two dimensions": _of_pairs(
                lambda y: (_positive(y), 0), lambda y: y[_positive(y), 1].exp()
            ),
            "x[mask, 1:] = y, of two dimensions": _of_pairs(
                lambda y: (_positive(y), slice(1, None)), lambda y: y[_positive(y)][:, 1:].exp()
            ),
            "x[mask, :, 0] = y": _of_pairs(
                lambda y: (_some(y), slice(None), 0), lambda y: y[_some(y)][:, :, 1].exp()
            ),
            "x[0, mask] = 0, of two dimensions": _of_pairs(
                lambda y: (0, y.detach()[0] > 0), lambda y: 0.5
            ),
            "x[indices] = a row": _assigned(lambda y: torch.tensor([0, 2]), lambda y: y[0].exp()),
            "x[indices, 0] = y": _assigned(lambda y: ([0, 2], 0), lambda y: y[:2, 1].exp()),
            "x[where(mask)] = 0": _assigned(lambda y: torch.where(_some(y)), lambda y: 0.5),
            "x[:, 0] = y": _assigned(lambda y: (slice(None), 0), lambda y: y[:, 1].exp()),
            "x[:, -1] = 0": _assigned(lambda y: (slice(None), -1), lambda y: 0.0),
            "x[..., 0] = y": _assigned(lambda y: (..., 0), lambda y: y[..., 1].exp()),
            "x[0, 0] = y": _assigned(lambda y: (0, 0), lambda y: y[1, 1]),
            "x[::2] = 0": _assigned(lambda y: slice(None, None, 2), lambda y: 0.5),
            "x[x.shape[0] // 2 :] = 0": _assigned(
                lambda y: slice(y.shape[0] // 2, None), lambda y: 0.25
            ),
            "assignments in turn": _parts_in_turn,
            "x[:, 1:3][mask] = y": _of_a_view,
            "parts taken before x[mask, 1] = 0": _taken_before,
            "mask[other, 1:3] = False": _of_truths,
            "counts[mask, 1] = 3": _of_integers,
            "slices in place": _in_place,
        }
    )
)
