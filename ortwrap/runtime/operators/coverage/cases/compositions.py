"""Losses that people put together themselves: contrastive, focal, of overlaps, with penalties."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..case import AfterLinear, Batch, Case


def _labels(step: int) -> Batch:
    return torch.randn(6 + step, 4), torch.randint(0, 5, (6 + step,))


def _info_nce(y: Tensor, t: Tensor) -> Tensor:
    mine, others = F.normalize(y, dim=1), F.normalize(y.roll(1, 1) * 2, dim=1)
    return F.cross_entropy(mine @ others.T / 0.1, torch.arange(len(y)))


def _supervised_contrast(y: Tensor, t: Tensor) -> Tensor:
    z = F.normalize(y, dim=1)
    others = 1 - torch.eye(z.shape[0])
    alike = (t[:, None] == t[None]).float() * others
    scores = z @ z.T / 0.5
    chance = scores - (scores.exp() * others).sum(1, keepdim=True).log()
    return -((chance * alike).sum(1) / alike.sum(1).clamp(min=1)).mean()


def _sigmoid_focal(y: Tensor, t: Tensor) -> Tensor:
    wanted = F.one_hot(t, 5).float()
    entropy = F.binary_cross_entropy_with_logits(y, wanted, reduction="none")
    right = y.sigmoid() * wanted + (1 - y.sigmoid()) * (1 - wanted)
    share = 0.25 * wanted + 0.75 * (1 - wanted)
    return (share * (1 - right) ** 2 * entropy).mean()


def _dice(y: Tensor, t: Tensor) -> Tensor:
    share, wanted = y.softmax(1), F.one_hot(t, 5).float()
    both = (share * wanted).sum(0)
    return 1 - ((2 * both + 1) / (share.sum(0) + wanted.sum(0) + 1)).mean()


def _dice_of_class(share: Tensor, wanted: Tensor) -> Tensor:
    wanted = wanted.float()
    both = (share * wanted).sum()
    return 1 - (2 * both + 1) / ((share * share).sum() + (wanted * wanted).sum() + 1)


def _dice_by_class(y: Tensor, t: Tensor) -> Tensor:
    share = y.softmax(1)
    wanted = torch.cat([(t == index).unsqueeze(1) for index in range(5)], 1).float()
    losses = [_dice_of_class(share[:, index].float(), wanted[:, index]) for index in range(5)]
    return torch.stack(losses).mean()


class _Penalised(nn.Module):
    """Cross entropy, and norms of the parameters themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.criterion = nn.Linear(4, 5), nn.CrossEntropyLoss()

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        first = sum(parameter.abs().sum() for parameter in self.parameters())
        second = sum(parameter.norm() for parameter in self.parameters())
        loss: Tensor = self.criterion(self.linear(x), target) + 1e-3 * first + 1e-3 * second
        return loss


class _ByKeyword(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear, self.criterion = nn.Linear(4, 5), nn.CrossEntropyLoss()

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        loss: Tensor = self.criterion(target=target, input=self.linear(x))
        return loss


CASES = (
    Case("InfoNCE", lambda: AfterLinear(_info_nce), _labels),
    Case("supervised contrastive loss", lambda: AfterLinear(_supervised_contrast), _labels),
    Case("sigmoid focal loss", lambda: AfterLinear(_sigmoid_focal, 5), _labels),
    Case("dice loss", lambda: AfterLinear(_dice, 5), _labels),
    Case(
        "dice loss by class",
        lambda: AfterLinear(_dice_by_class, 5),
        _labels,
        eager_in_double="float32 inside rounds in another order",
    ),
    Case("L1 and L2 norms of parameters", _Penalised, _labels),
    Case("CrossEntropyLoss(target=..., input=...)", _ByKeyword, _labels),
)
