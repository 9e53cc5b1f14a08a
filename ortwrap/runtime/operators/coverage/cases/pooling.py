"""Pooling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..case import AfterLinear, Batch, Case, layers, noise

_GROWTH = (0, 1, 5, 2)


def _gated(y: Tensor) -> Tensor:
    """The gate of a squeeze-and-excite block as older scripts write it."""
    return y * F.avg_pool2d(y, y.size(2)).sigmoid()


def _unpooled(y: Tensor) -> Tensor:
    small, places = F.max_pool2d(y, (2, 2), return_indices=True)
    return F.max_unpool2d(small, places, (2, 2))


def _longer(*shape: int) -> Callable[[int], Batch]:
    """Batches of noise whose size and length, the third size, change from step to step."""

    def batch(step: int) -> Batch:
        first, second, length, *others = shape
        return (torch.randn(first + step, second, length + _GROWTH[step], *others),)

    return batch


def _over_all(
    table: dict[str, Callable[[Tensor], Tensor]], shape: tuple[int, ...]
) -> Iterator[Case]:
    """A case for each pool whose windows are as long as what it is given."""
    for name, pool in table.items():
        yield Case(name, _after_linear(pool), _longer(*shape))


def _after_linear(pool: Callable[[Tensor], Tensor]) -> Callable[[], nn.Module]:
    return lambda: AfterLinear(pool)


def _over_time(pool: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda y: pool(y.flatten(0, 1).transpose(1, 2))


CASES = (
    *layers(
        {
            "MaxPool2d": lambda: nn.MaxPool2d(3, 2, 1),
            "MaxPool2d(ceil_mode=True)": lambda: nn.MaxPool2d(3, 2, ceil_mode=True),
            "AvgPool2d": lambda: nn.AvgPool2d(2),
            "LPPool2d": lambda: nn.LPPool2d(2, 2),
            "AdaptiveAvgPool2d(1)": lambda: nn.AdaptiveAvgPool2d(1),
            "AdaptiveAvgPool2d((3, 2))": lambda: nn.AdaptiveAvgPool2d((3, 2)),
            "AdaptiveMaxPool2d": lambda: nn.AdaptiveMaxPool2d(2),
        },
        (2, 3, 6, 6),
    ),
    Case("avg_pool2d(y, y.size(2))", lambda: AfterLinear(_gated), noise(2, 3, 6, 4)),
    Case("max_unpool2d", lambda: AfterLinear(_unpooled), noise(2, 3, 6, 4)),
    *_over_all(
        {
            "max_pool2d(y, y.shape[2:])": lambda y: F.max_pool2d(y, y.shape[2:]),
            "max_pool2d(y, (y.size(2), 1))": lambda y: F.max_pool2d(y, (y.size(2), 1)),
            "max_pool2d(y, y.size(3))": lambda y: F.max_pool2d(y, y.size(3)),
            "avg_pool2d(y, y.size()[2:])": lambda y: F.avg_pool2d(y, y.size()[2:]),
            "avg_pool2d(y, (y.size(2), 1))": lambda y: F.avg_pool2d(y, (y.size(2), 1)),
            "adaptive_avg_pool2d(y, y.size(2) // 2)": lambda y: F.adaptive_avg_pool2d(
                y, y.size(2) // 2
            ),
            "max_pool1d(y, y.shape[2])": _over_time(lambda y: F.max_pool1d(y, y.shape[2])),
            "max_pool1d(y, kernel_size=y.size(-1))": _over_time(
                lambda y: F.max_pool1d(y, kernel_size=y.size(-1))
            ),
            "max_pool1d(y, y.size(2) - 1, stride=1)": _over_time(
                lambda y: F.max_pool1d(y, y.size(2) - 1, stride=1)
            ),
            "max_pool1d(y, y.size(2), return_indices=True)": _over_time(
                lambda y: F.max_pool1d(y, y.size(2), return_indices=True)[0]
            ),
            "avg_pool1d(y, y.size(-1))": _over_time(lambda y: F.avg_pool1d(y, y.size(-1))),
            "MaxPool1d(y.size(2))(y)": _over_time(lambda y: nn.MaxPool1d(y.size(2))(y)),
            "AvgPool1d(y.size(2))(y)": _over_time(lambda y: nn.AvgPool1d(y.size(2))(y)),
            "lp_pool1d(y, 2, y.size(2))": _over_time(
                lambda y: F.lp_pool1d(y.sigmoid(), 2, y.size(2))
            ),
            "lp_pool2d(y, 2, (y.size(2), 1))": lambda y: F.lp_pool2d(
                y.sigmoid(), 2, (y.size(2), 1)
            ),
            "max_pool2d of one picture": lambda y: F.max_pool2d(y[0], 2),
        },
        (2, 3, 6, 4),
    ),
    *layers(
        {
            "MaxPool1d": lambda: nn.MaxPool1d(2),
            "AvgPool1d": lambda: nn.AvgPool1d(2),
            "AdaptiveAvgPool1d": lambda: nn.AdaptiveAvgPool1d(2),
            "AdaptiveMaxPool1d": lambda: nn.AdaptiveMaxPool1d(2),
        },
        (2, 3, 6),
    ),
    *layers(
        {
            "MaxPool3d": lambda: nn.MaxPool3d(2),
            "AvgPool3d": lambda: nn.AvgPool3d(2),
            "AdaptiveAvgPool3d": lambda: nn.AdaptiveAvgPool3d(2),
        },
        (2, 3, 4, 4, 4),
    ),
)
