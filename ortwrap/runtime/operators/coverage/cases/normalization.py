"""Normalization layers, their buffers included."""

from __future__ import annotations

from torch import nn
from torch.nn.utils import spectral_norm as hooked_spectral_norm
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from ..case import Case, Scored, layers, noise


def _frozen() -> nn.Module:
    return Scored(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4).eval(), nn.ReLU()))


def _above_frozen() -> nn.Module:
    below = nn.Linear(4, 5).requires_grad_(False)
    return Scored(nn.Sequential(below, nn.BatchNorm1d(5), nn.Linear(5, 3)))


def _conv_norm(**options: object) -> nn.Module:
    norm = nn.BatchNorm2d(5, **options)  # type: ignore[arg-type]
    return nn.Sequential(nn.Conv2d(3, 5, 3), norm, nn.ReLU(), nn.Conv2d(5, 2, 3))


CASES = (
    *layers(
        {
            "BatchNorm2d": _conv_norm,
            "BatchNorm2d(momentum=None)": lambda: _conv_norm(momentum=None),
            "BatchNorm2d(affine=False)": lambda: _conv_norm(affine=False),
            "BatchNorm2d(track_running_stats=False)": lambda: _conv_norm(track_running_stats=False),
            "BatchNorm2d(momentum=0.3, eps=1e-3)": lambda: _conv_norm(momentum=0.3, eps=1e-3),
        },
        (4, 3, 7, 7),
    ),
    *layers({"BatchNorm1d": lambda: nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5))}, (4, 4)),
    *layers({"BatchNorm1d of (N, C, L)": lambda: nn.BatchNorm1d(3)}, (4, 3, 5)),
    *layers({"BatchNorm3d": lambda: nn.BatchNorm3d(2)}, (3, 2, 4, 4, 4)),
    Case("BatchNorm2d, frozen by eval()", _frozen, noise(4, 3, 6, 6)),
    Case("BatchNorm1d above a frozen layer", _above_frozen, noise(4, 4)),
    *layers(
        {
            "InstanceNorm2d": lambda: nn.InstanceNorm2d(4),
            "InstanceNorm2d(affine=True)": lambda: nn.InstanceNorm2d(4, affine=True),
            "InstanceNorm2d(track_running_stats=True)": lambda: nn.InstanceNorm2d(
                4, affine=True, track_running_stats=True
            ),
            "GroupNorm": lambda: nn.GroupNorm(2, 4),
            "GroupNorm(affine=False)": lambda: nn.GroupNorm(2, 4, affine=False),
            "LocalResponseNorm": lambda: nn.LocalResponseNorm(2),
        },
        (2, 4, 5, 5),
    ),
    *layers(
        {
            "LayerNorm": lambda: nn.LayerNorm(5),
            "LayerNorm(elementwise_affine=False)": lambda: nn.LayerNorm(
                5, elementwise_affine=False
            ),
            "LayerNorm(bias=False)": lambda: nn.LayerNorm(5, bias=False),
            "LayerNorm of two dimensions": lambda: nn.LayerNorm([4, 5]),
            "RMSNorm": lambda: nn.RMSNorm(5),
        },
        (2, 4, 5),
    ),
    *layers(
        {
            "weight_norm": lambda: weight_norm(nn.Linear(4, 5)),
            "spectral_norm": lambda: spectral_norm(nn.Linear(4, 5)),
            "spectral_norm, by hooks": lambda: hooked_spectral_norm(nn.Linear(4, 5)),
        },
        (3, 4),
    ),
    *layers({"spectral_norm of Conv2d": lambda: spectral_norm(nn.Conv2d(3, 5, 3))}, (2, 3, 5, 5)),
)
