"""Functions of single elements."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..case import AfterLinear, Case, Scored, functions, noise


def _rotate(y: Tensor) -> Tensor:
    angles = torch.arange(6.0)
    one, two = y.chunk(2, -1)
    return y * angles.cos() + torch.cat((-two, one), -1) * angles.sin()


class Squared(nn.Module):
    """A weight that nothing but one product reads."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, 4))

    def forward(self, x: Tensor) -> Tensor:
        y = x * (self.weight * self.weight)
        return (y * y + y).mean()


def _next_to_nothing(y: Tensor) -> Tensor:
    """Between 5e-39 and 1e-38, which is below the least normal number of float32."""
    return (y.sigmoid() + 1) * 5e-39


CASES = (
    *functions(
        {
            "times 1 / y.shape[0]": lambda y: y * (1 / y.shape[0]),
            "by y.size(1) ** 0.5": lambda y: y / y.size(1) ** 0.5,
            "times a share of two sizes": lambda y: y * (y.shape[0] / (y.shape[1] * 3)),
            "reciprocal": lambda y: (y.abs() + 1).reciprocal(),
            "log": lambda y: (y.abs() + 1).log(),
            "sqrt": lambda y: (y.abs() + 1).sqrt(),
            "log of next to nothing": lambda y: _next_to_nothing(y).log() + 87,
            "sqrt of next to nothing": lambda y: _next_to_nothing(y).sqrt() * 1e19,
            "tanh": torch.tanh,
            "erf": torch.erf,
            "exp": torch.exp,
            "cos": torch.cos,
            "sin": torch.sin,
            "atan2": lambda y: torch.atan2(y, y * 2 + 1),
            "asin, atan": lambda y: (y.tanh() * 0.9).asin() + y.atan(),
            "acos": lambda y: (y.tanh() * 0.9).acos(),
            "sinh, cosh, tan": lambda y: y.sinh() + y.cosh() + (y * 0.1).tan(),
            "asinh, atanh": lambda y: y.asinh() + (y.tanh() * 0.9).atanh(),
            "erf, erfc": lambda y: y.erf() + 2 * y.erfc(),
            "lgamma": lambda y: (y.abs() + 1).lgamma(),
            "logit": lambda y: y.sigmoid().logit(),
            "log1p, expm1": lambda y: y.expm1().log1p(),
            "log2, log10": lambda y: (y.abs() + 1).log2() + (y.abs() + 1).log10(),
            "rsqrt": lambda y: (y.abs() + 1).rsqrt(),
            "pow": lambda y: (y.abs() + 0.1).pow(1.5),
            "xlogy": lambda y: torch.xlogy(y.abs(), y.abs() + 1),
            "logaddexp": lambda y: torch.logaddexp(y, y * 2),
            "sign": lambda y: y.sign() * y,
            "round": lambda y: y.round() + y,
            "floor": lambda y: y.floor() + y,
            "remainder": lambda y: torch.remainder(y, 1.0),
            "clamp": lambda y: y.clamp(-0.1, 0.2),
            "maximum": lambda y: torch.maximum(y, -y),
            "where": lambda y: torch.where(y > 0, y, y * 0.1),
            "isclose": lambda y: torch.where(torch.isclose(y, y.round(), atol=0.2), y * y, y),
            "sum of masks": lambda y: torch.where((y > 0.3) + (y < 0), y, y * 0.1),
            "masked_fill": lambda y: y.masked_fill(y > 0, -1.0),
            "lerp": lambda y: torch.lerp(y, y * 2, 0.3),
            "addcmul": lambda y: torch.addcmul(y, y, y, value=0.5),
            "clamp to tensors": lambda y: y.clamp(
                min=y.mean(), max=y.max(1, keepdim=True)[0] * 0.5
            ),
            "where, broadcast": lambda y: torch.where(y.sum(1, keepdim=True) > 0, y, y[:1]),
            "where of a column": lambda y: torch.where(y > 0, y[:, :1], y),
            "where of two numbers": lambda y: y + torch.where(y > 0.5, 0.5, -1.0),
            "where of the least number": lambda y: (
                y + torch.where(y > 0.5, torch.tensor(0.0, dtype=y.dtype), torch.finfo(y.dtype).min)
            ).softmax(-1),
            "masked_fill, broadcast": lambda y: (y[:1] * 2).masked_fill(y > 0.5, -1.0),
            "masked_fill(-inf), softmax": lambda y: y.masked_fill(
                torch.arange(6) > 3, float("-inf")
            ).softmax(-1),
            "pow of tensors": lambda y: (y.abs() + 0.1).pow(y),
            "power of two": lambda y: 2.0**y,
            "div(rounding_mode='floor')": lambda y: y * torch.div(y, 0.3, rounding_mode="floor"),
            "in place": lambda y: (y * 2).add_(1).mul_(y).clamp_(-1, 1),
            "rotary embedding": _rotate,
            "SwiGLU": lambda y: F.silu(y[:, :3]) * y[:, 3:],
            "GeGLU": lambda y: F.gelu(y[:, :3]) * y[:, 3:],
            "RMSNorm by hand": lambda y: y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-6),
            "nan_to_num": torch.nan_to_num,
        }
    ),
    Case("an input times itself", lambda: Scored(lambda x: x * x), noise(3, 4)),
    Case("a parameter times itself", Squared, noise(3, 4)),
    Case(
        "double and back",
        lambda: AfterLinear(lambda y: y.double().mul(2).float()),
        noise(3, 4),
        eager_in_double="float32 inside rounds in another order",
    ),
)
