"""Pooling."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ..case import AfterLinear, Case, layers, noise


def _gated(y: Tensor) -> Tensor:
    """The gate of a squeeze-and-excite block as older scripts write it."""
    return y * F.avg_pool2d(y, y.size(2)).sigmoid()


def _unpooled(y: Tensor) -> Tensor:
    small, places = F.max_pool2d(y, (2, 2), return_indices=True)
    return F.max_unpool2d(small, places, (2, 2))


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
