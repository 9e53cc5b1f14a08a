"""Gradients that stop inside of forward."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..case import Case, functions, noise


def _under_no_grad(y: Tensor) -> Tensor:
    with torch.no_grad():
        scale = y * 2 + 1
    return y * scale


class Adversary(nn.Module):
    """A discriminator trained on a generator that must not be."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, noise: Tensor) -> Tensor:
        fake = self.generator(noise)
        loss: Tensor = self.discriminator(fake.detach()).pow(2).mean()
        return loss


CASES = (
    *functions(
        {
            "detach()": lambda y: y * y.detach(),
            ".data": lambda y: y * y.data,
            "no_grad()": _under_no_grad,
            "straight-through estimator": lambda y: y + (y.round() - y).detach(),
        }
    ),
    Case("a generator detached in forward", Adversary, noise(3, 4)),
)
