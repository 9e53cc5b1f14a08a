"""Layers and functions that are rarer, and that some models are built on."""

from __future__ import annotations

from typing import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from ..case import AfterLinear, Batch, Case, functions, layers


class _With(nn.Module):
    """A layer, and how it is applied to what a linear layer returns."""

    def __init__(self, layer: nn.Module, use: Callable[..., Tensor]) -> None:
        super().__init__()
        self.linear, self.layer, self.use = nn.Linear(4, 6), layer, use

    def forward(self, x: Tensor) -> Tensor:
        y = self.use(self.layer, self.linear(x))
        return (y * y * y + y * y).mean()


def _rows(step: int) -> Batch:
    return (torch.randn(6 + step, 4),)


def _pictures(step: int) -> Batch:
    return (torch.randn(2 + step, 3, 6, 4),)


def _warped(y: Tensor) -> Tensor:
    turn = torch.eye(2, 3, dtype=y.dtype).expand(y.size(0), 2, 3) * 0.9
    return F.grid_sample(
        y, F.affine_grid(turn, list(y.shape), align_corners=False), align_corners=False
    )


def _sampled(y: Tensor) -> Tensor:
    places = y[:, :2].tanh().permute(0, 2, 3, 1)
    return F.grid_sample(y, places, padding_mode="border", align_corners=True)


def _matrix(y: Tensor) -> Tensor:
    return y.t() @ y * 0.1 + torch.eye(6, dtype=y.dtype) * torch.arange(1, 7)


def _squared_length(row: Tensor) -> Tensor:
    return (row * row).sum()


def _pairs(y: Tensor) -> Tensor:
    return torch.arange(y.shape[0]) // 2


CASES = (
    *layers(
        {
            "orthogonal": lambda: parametrizations.orthogonal(nn.Linear(4, 4)),
            "orthogonal(orthogonal_map='cayley')": lambda: parametrizations.orthogonal(
                nn.Linear(4, 4), orthogonal_map="cayley"
            ),
            "weight_norm, parametrized": lambda: parametrizations.weight_norm(nn.Linear(4, 3)),
        },
        (3, 4),
    ),
    Case("Bilinear", lambda: _With(nn.Bilinear(6, 6, 3), lambda one, y: one(y, y + 1)), _rows),
    Case("RNNCell", lambda: _With(nn.RNNCell(6, 6), lambda one, y: one(y, one(y))), _rows),
    Case(
        "ConvTranspose1d(output_padding)",
        lambda: _With(
            nn.ConvTranspose1d(2, 4, 3, stride=2, padding=1, output_padding=1),
            lambda one, y: one(y.view(-1, 2, 3)),
        ),
        _rows,
    ),
    Case(
        "EmbeddingBag(per_sample_weights)",
        lambda: _With(
            nn.EmbeddingBag(5, 6, mode="sum"),
            lambda one, y: one(
                torch.arange(4)[None].expand(y.shape[0], 4), per_sample_weights=y[:, :4]
            ),
        ),
        _rows,
    ),
    Case("grid_sample of affine_grid", lambda: AfterLinear(_warped), _pictures),
    Case("grid_sample at learned places", lambda: AfterLinear(_sampled), _pictures),
    *functions(
        {
            "conv1d by a kernel that is computed": lambda y: F.conv1d(
                y[None], y[None, :, :3].transpose(0, 1)[:2].expand(2, y.shape[0], 3)
            ),
            "index_reduce(mean)": lambda y: y.index_reduce(0, _pairs(y), y.exp(), "mean"),
            "masked_scatter": lambda y: y.masked_scatter(y.detach() > 0, y.exp()),
            "take_along_dim": lambda y: y.take_along_dim(y.argsort(1), 1),
            "slice_scatter": lambda y: torch.slice_scatter(y, y[:, :2].exp(), 1, 2, 4),
            "bucketize": lambda y: y * torch.bucketize(y, torch.tensor([-1.0, 0, 1]).to(y)),
            "searchsorted": lambda y: y * torch.searchsorted(torch.tensor([-1.0, 1]).to(y), y),
            "histc": lambda y: y * torch.histc(y.detach(), 6, -2, 2),
            "unique": lambda y: y * torch.unique(y.argmax(1)).sum(),
            "diff": lambda y: y.diff(dim=1),
            "cummin": lambda y: y.cummin(1)[0],
            "trapezoid": lambda y: torch.trapezoid(y, dim=1),
            "vmap": torch.vmap(_squared_length),
            "linalg.eigh": lambda y: torch.linalg.eigh(_matrix(y))[0],
            "linalg.svdvals": lambda y: torch.linalg.svdvals(_matrix(y)),
            "linalg.qr": lambda y: torch.linalg.qr(_matrix(y))[1],
            "linalg.lstsq": lambda y: torch.linalg.lstsq(_matrix(y), y.t()).solution,
            "linalg.pinv": lambda y: torch.linalg.pinv(_matrix(y)),
            "linalg.solve_triangular": lambda y: torch.linalg.solve_triangular(
                _matrix(y), y.t(), upper=True
            ),
            "matrix_exp": lambda y: torch.matrix_exp(_matrix(y) * 0.1),
        }
    ),
)
