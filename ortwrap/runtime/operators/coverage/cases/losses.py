"""Losses: of class indices, of values, of pairs and of sequences."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..case import AfterLinear, Batch, Case

_WEIGHT = torch.tensor([0.5, 1.5, 1.0, 0.7, 1.2])


def _labels(step: int) -> Batch:
    return torch.randn(6 + step, 4), torch.randint(0, 5, (6 + step,))


def _some_ignored(step: int) -> Batch:
    x, labels = _labels(step)
    return x, torch.where(torch.arange(6 + step) % 3 == 0, -100, labels)


def _pictures(step: int) -> Batch:
    return torch.randn(2 + step, 4), torch.randint(0, 5, (2 + step, 2, 3))


def _values(step: int) -> Batch:
    return torch.randn(6 + step, 4), torch.randn(6 + step, 5)


def _several_labels(step: int) -> Batch:
    return torch.randn(6 + step, 4), torch.tensor([[1, 2, -1, 0, 0]] * (6 + step))


def _sequences(step: int) -> Batch:
    targets = torch.randint(1, 5, (2, 3))
    return torch.randn(12, 4), targets, torch.tensor([6, 5]), torch.tensor([3, 2])


def _of(
    batch: Callable[[int], Batch], table: dict[str, Callable[..., Tensor]], features: int = 5
) -> Iterator[Case]:
    for name, loss in table.items():
        yield Case(name, _model(loss, features), batch)


def _model(loss: Callable[..., Tensor], features: int) -> Callable[[], nn.Module]:
    return lambda: AfterLinear(copy.deepcopy(loss), features)


def _log(y: Tensor) -> Tensor:
    return F.log_softmax(y, 1)


def _focal(y: Tensor, t: Tensor) -> Tensor:
    chosen = _log(y).gather(1, t[:, None]).squeeze(1)
    return (-((1 - chosen.exp()) ** 2) * chosen).mean()


def _ctc(y: Tensor, t: Tensor, lengths: Tensor, target_lengths: Tensor) -> Tensor:
    return F.ctc_loss(F.log_softmax(y.view(6, 2, 5), -1), t, lengths, target_lengths)


CASES = (
    *_of(
        _labels,
        {
            "CrossEntropyLoss": nn.CrossEntropyLoss(),
            "cross_entropy(reduction='none')": lambda y, t: (
                F.cross_entropy(y, t, reduction="none") * torch.arange(y.shape[0])
            ).mean(),
            "cross_entropy(label_smoothing)": nn.CrossEntropyLoss(label_smoothing=0.1),
            "NLLLoss": lambda y, t: F.nll_loss(_log(y), t),
            "nll_loss(reduction='sum', ignore_index)": lambda y, t: F.nll_loss(
                _log(y), t, reduction="sum", ignore_index=2
            ),
            "nll_loss(reduction='none')": lambda y, t: F.nll_loss(
                _log(y), t, reduction="none"
            ).mean(),
            "MultiMarginLoss": nn.MultiMarginLoss(),
            "focal loss by gather": _focal,
        },
    ),
    *_of(_labels, {"cross_entropy of one example": lambda y, t: F.cross_entropy(y[0], t[0])}),
    *_of(
        _some_ignored,
        {
            "CrossEntropyLoss(weight), labels ignored": nn.CrossEntropyLoss(_WEIGHT),
            "cross_entropy(label_smoothing, weight), labels ignored": nn.CrossEntropyLoss(
                _WEIGHT, label_smoothing=0.1
            ),
            "nll_loss(weight), labels ignored": lambda y, t: F.nll_loss(
                _log(y), t, _WEIGHT.to(y.dtype)
            ),
        },
    ),
    *_of(
        _pictures,
        {
            "cross_entropy of (N, C, H, W)": lambda y, t: F.cross_entropy(y.view(-1, 5, 2, 3), t),
            "cross_entropy(label_smoothing) of (N, C, H, W)": lambda y, t: F.cross_entropy(
                y.view(-1, 5, 2, 3), t, label_smoothing=0.1
            ),
            "nll_loss of (N, C, H, W)": lambda y, t: F.nll_loss(_log(y.view(-1, 5, 2, 3)), t),
            "nll_loss of (N, C, L)": lambda y, t: F.nll_loss(_log(y.view(-1, 5, 6)), t.flatten(1)),
        },
        features=30,
    ),
    *_of(
        _values,
        {
            "MSELoss": nn.MSELoss(),
            "L1Loss": nn.L1Loss(),
            "L1Loss(reduction='sum')": nn.L1Loss(reduction="sum"),
            "l1_loss(reduction='none')": lambda y, t: (
                F.l1_loss(y, t, reduction="none").pow(2).mean()
            ),
            "SmoothL1Loss": nn.SmoothL1Loss(beta=0.5),
            "HuberLoss": nn.HuberLoss(delta=0.3),
            "PoissonNLLLoss": nn.PoissonNLLLoss(),
            "GaussianNLLLoss": lambda y, t: F.gaussian_nll_loss(y, t, F.softplus(y)),
            "cross_entropy of probabilities": lambda y, t: F.cross_entropy(y, t.softmax(1)),
            "cross_entropy of probabilities(label_smoothing)": lambda y, t: F.cross_entropy(
                y, t.softmax(1), label_smoothing=0.2
            ),
            "BCELoss": lambda y, t: F.binary_cross_entropy(y.sigmoid(), t.sigmoid()),
            "binary_cross_entropy(weight)": lambda y, t: F.binary_cross_entropy(
                y.sigmoid(), t.sigmoid(), _WEIGHT
            ),
            "BCEWithLogitsLoss(pos_weight)": lambda y, t: F.binary_cross_entropy_with_logits(
                y, t.sigmoid(), pos_weight=_WEIGHT
            ),
            "KLDivLoss": lambda y, t: F.kl_div(_log(y), t.softmax(1), reduction="batchmean"),
            "KLDivLoss(log_target)": lambda y, t: F.kl_div(
                _log(y), _log(t), reduction="batchmean", log_target=True
            ),
            "SoftMarginLoss": lambda y, t: F.soft_margin_loss(y, t.sign()),
            "HingeEmbeddingLoss": lambda y, t: F.hinge_embedding_loss(y, t.sign()),
            "MultiLabelSoftMarginLoss": lambda y, t: F.multilabel_soft_margin_loss(
                y, (t > 0).float()
            ),
            "MarginRankingLoss": lambda y, t: F.margin_ranking_loss(
                y[:, 0], y[:, 1], t[:, 0].sign(), 0.3
            ),
            "CosineEmbeddingLoss": lambda y, t: F.cosine_embedding_loss(y, t, t[:, 0].sign(), 0.1),
            "TripletMarginLoss": lambda y, t: F.triplet_margin_loss(y, t, y.roll(1, 0)),
            "TripletMarginWithDistanceLoss": lambda y, t: F.triplet_margin_with_distance_loss(
                y, t, y * 2
            ),
        },
    ),
    *_of(_several_labels, {"MultiLabelMarginLoss": nn.MultiLabelMarginLoss()}),
    *_of(_sequences, {"CTCLoss": _ctc}),
)
