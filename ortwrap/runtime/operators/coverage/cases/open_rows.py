"""Rows that the values of a batch choose: more, fewer, and none at all."""

from __future__ import annotations

from typing import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..case import Batch, Case

_COUNTS = (3, 4, 0, 2)


def _chosen(step: int) -> Batch:
    return torch.randn(5, 4), torch.arange(5) < _COUNTS[step]


class OfRows(nn.Module):
    """A function of the rows that a mask chooses, and of all others."""

    def __init__(self, function: Callable[[Tensor], Tensor], layer: nn.Module | None) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 6)
        self.function = function
        self.layer = layer or nn.Identity()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.linear(x)
        chosen = self.layer(self.function(y[mask]))
        loss: Tensor = (chosen * chosen * chosen + chosen).sum() + y.square().mean()
        return loss


class Contrasted(nn.Module):
    """Similarities of the rows that a mask chooses to all rows."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 6)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.linear(x)
        rows, *_ = torch.where(mask)
        loss: Tensor = (y[rows] @ y.T).log_softmax(1).sum() + y.square().mean()
        return loss


class Averaged(nn.Module):
    """The mean over the rows that a mask chooses, by their number."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 6)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.linear(x)
        chosen = y[mask]
        loss: Tensor = chosen.square().sum() / (chosen.shape[0] + 1) + y.square().mean()
        return loss


def _case(
    name: str,
    function: Callable[[Tensor], Tensor],
    layer: Callable[[], nn.Module] | None = None,
) -> Case:
    return Case(name, lambda: OfRows(function, layer() if layer else None), _chosen)


CASES = (
    _case("Linear of chosen rows", F.relu, lambda: nn.Linear(6, 3)),
    _case("LayerNorm of chosen rows", torch.tanh, lambda: nn.LayerNorm(6)),
    _case("Conv1d of chosen rows", lambda y: y[:, :, None], lambda: nn.Conv1d(6, 3, 1)),
    _case("Conv2d of chosen rows", lambda y: y.view(-1, 1, 2, 3), lambda: nn.Conv2d(1, 3, 2)),
    _case("mean of chosen rows", lambda y: y.mean(0).nan_to_num()),
    _case("mean of each chosen row", lambda y: y.mean(1)),
    _case("mean of all chosen values", lambda y: y.mean().nan_to_num()),
    _case("mean of chosen rows, flattened", lambda y: y.flatten().mean().nan_to_num()),
    _case("normalize chosen rows", lambda y: F.normalize(y, dim=1)),
    _case("softmax of chosen rows", lambda y: y.softmax(1)),
    _case("cross_entropy of chosen rows", lambda y: F.cross_entropy(y, y.argmax(1)).nan_to_num()),
    _case("products of chosen rows", lambda y: y.T @ y),
    _case("stack of chosen rows", lambda y: torch.stack([y, y * 2], 1)),
    Case("similarities of chosen rows", Contrasted, _chosen),
    Case("sum of chosen rows by their number", Averaged, _chosen),
)
