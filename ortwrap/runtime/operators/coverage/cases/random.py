"""Layers that draw random numbers: the same ones as eager's."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import (
    Bernoulli,
    Categorical,
    Independent,
    Normal,
    kl_divergence,
)

from ..case import Case, Scored, functions, layers, noise


class VariationalAutoencoder(nn.Module):
    """Reparametrized noise between two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(6, 8), nn.Linear(4, 6)

    def forward(self, x: Tensor) -> Tensor:
        mean, log_variance = self.encoder(x).chunk(2, 1)
        spread = torch.exp(0.5 * log_variance)
        decoded = self.decoder(mean + torch.randn_like(spread) * spread)
        divergence: Tensor = -0.5 * (1 + log_variance - mean.pow(2) - log_variance.exp()).mean()
        return F.mse_loss(decoded, x) + divergence


def _dropout_twice() -> nn.Module:
    return Scored(nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.3), nn.Linear(6, 6), nn.Dropout(0.5)))


def _surprise(distribution: Any, drawn: Tensor) -> Tensor:
    """What policy gradients weigh: a log-probability and an entropy."""
    surprise: Tensor = -distribution.log_prob(drawn) - 0.1 * distribution.entropy()
    return surprise


CASES = (
    Case("Dropout", _dropout_twice, noise(5, 4)),
    *layers({"Dropout2d": lambda: nn.Dropout2d(0.3)}, (3, 4, 5, 5)),
    *functions(
        {
            "alpha_dropout": lambda y: F.alpha_dropout(y, 0.3, True),
            "rrelu": lambda y: F.rrelu(y, training=True),
            "gumbel_softmax": lambda y: F.gumbel_softmax(y, 0.7),
            "gumbel_softmax(hard=True)": lambda y: F.gumbel_softmax(y, hard=True),
            "randn of the batch's size": lambda y: y * torch.randn(y.shape[0], 6),
            "rand_like": lambda y: y * torch.rand_like(y),
            "bernoulli": lambda y: y * torch.bernoulli(torch.full_like(y, 0.5)),
            "randperm": lambda y: y * y[torch.randperm(y.shape[0])],
            "Normal.rsample": lambda y: Normal(y, 1.0).rsample(),
            "Normal.log_prob": lambda y: _surprise(Normal(y, 1 + y.sigmoid()), torch.ones_like(y)),
            "Categorical": lambda y: _surprise(Categorical(logits=y), y.argmax(1)),
            "Categorical of shares": lambda y: _surprise(Categorical(y.softmax(1)), y.argmax(1)),
            "Bernoulli": lambda y: _surprise(Bernoulli(logits=y), (y > 0).float()),
            "kl_divergence": lambda y: kl_divergence(Normal(y, y.exp()), Normal(0.0, 1.0)),
            "Independent": lambda y: _surprise(
                Independent(Normal(y.tanh(), 1.0), 1), torch.zeros_like(y)
            ),
        }
    ),
    Case("VAE", VariationalAutoencoder, noise(5, 6)),
)
