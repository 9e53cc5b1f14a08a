"""Upsample and interpolate."""

from __future__ import annotations

import functools

import torch.nn.functional as F
from torch import Tensor, nn

from ..case import Case, Scored, layers, noise


def _resize(x: Tensor, **options: object) -> Tensor:
    return F.interpolate(x, **options)  # type: ignore[arg-type]


def _as_before(x: Tensor) -> Tensor:
    return F.interpolate(F.avg_pool2d(x, 2), size=x.shape[-2:], mode="bilinear")


_MODES = ("nearest", "nearest-exact", "bilinear", "bicubic", "area")

CASES = (
    *(
        Case(
            f"interpolate(scale_factor=2, mode='{mode}')",
            functools.partial(Scored, functools.partial(_resize, scale_factor=2, mode=mode)),
            noise(2, 3, 4, 4),
        )
        for mode in _MODES
    ),
    *(
        Case(
            f"interpolate(size=(7, 5), mode='{mode}')",
            functools.partial(Scored, functools.partial(_resize, size=(7, 5), mode=mode)),
            noise(2, 3, 4, 4),
        )
        for mode in _MODES
    ),
    Case("interpolate(size of another tensor)", lambda: Scored(_as_before), noise(2, 3, 4, 4)),
    *layers(
        {
            "Upsample(bilinear, align_corners)": lambda: nn.Upsample(
                scale_factor=2, mode="bilinear", align_corners=True
            )
        },
        (2, 3, 4, 4),
    ),
    *layers({"Upsample(linear)": lambda: nn.Upsample(scale_factor=2, mode="linear")}, (2, 3, 4)),
    *layers(
        {"Upsample(trilinear)": lambda: nn.Upsample(scale_factor=2, mode="trilinear")},
        (2, 2, 3, 3, 3),
    ),
)
