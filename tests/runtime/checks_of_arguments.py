"""Forwards that check what they are given, for `test_module_complaints.py`.

They stand in a file of their own, since pytest compiles the asserts of its tests to other code.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 3


def check_labels(labels: Tensor, *, classes: int, ignored: int | None = None) -> None:
    """Raises unless they are classes."""
    if not torch.is_tensor(labels):
        raise TypeError(f"no tensor: {type(labels)}")
    if labels.numel() == 0:
        return
    if ignored is None:
        low = int(labels.min().item())
        high = int(labels.max().item())
        if low < 0 or high >= int(classes):
            raise ValueError(f"labels out of range: [{low}, {high}]")
        return
    mask = labels != int(ignored)
    if not bool(mask.any().item()):
        return
    assert int(labels[mask].max().item()) < classes, "label out of range"


class Checking(nn.Module):
    """A step around a model and a loss that checks something."""

    def __init__(self, model: nn.Module, loss: Any) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.classes = CLASSES

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        loss: Tensor = self.loss(self, data, self.model(data), target)
        return loss


def by_a_function(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    check_labels(target, classes=step.classes)
    return F.mse_loss(scores[:, 0], target.float())


def by_a_function_and_sizes(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    check_labels(target, classes=int(scores.shape[1]), ignored=-1)
    return F.mse_loss(scores[:, 0], target.float())


def by_the_number_of_rows(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    check_labels(target, classes=int(scores.shape[0]) - 3)
    return F.mse_loss(scores[:, 0], target.float())


def by_an_if(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    if (
        (target < 0).any()  # none is ignored
        or target.max() >= step.classes
    ):
        text = "labels out of range"
        raise ValueError(text)
    return F.mse_loss(scores[:, 0], target.float())


def by_an_if_with_item(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    if (target < 0).any().item(): raise ValueError("labels below 0")  # fmt: skip # noqa: E701
    elif target.max().item() >= CLASSES:
        raise ValueError("labels out of range")
    return F.mse_loss(scores[:, 0], target.float())


def by_asserts(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    assert target.min() >= 0
    assert target.max() < step.classes, f"labels out of range: {target.tolist()}"
    assert not torch.isnan(data).any()
    return F.mse_loss(scores[:, 0], target.float())


def of_what_was_computed(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    if torch.isnan(scores).any():
        raise ValueError("not a number")
    return F.mse_loss(scores[:, 0], target.float())


def of_what_was_written_to(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    target -= 1
    assert target.max() < step.classes - 1
    return F.mse_loss(scores[:, 0], target.float())


def that_keeps_the_number(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    if (highest := target.max().item()) >= step.classes:
        raise ValueError("labels out of range")
    return F.mse_loss(scores[:, 0], target.float()) * (1.0 + highest)


def that_decides_more(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    if target.max() >= step.classes - 1:
        scores = scores * 2
    return F.mse_loss(scores[:, 0], target.float())


def beside_another_statement(
    step: Checking, data: Tensor, scores: Tensor, target: Tensor
) -> Tensor:
    first = target[0].item(); assert target.max() < step.classes  # fmt: skip # noqa: E702
    return F.mse_loss(scores[:, 0], target.float()) * (1.0 + first)


SEEN: list[float] = []


def note(labels: Tensor) -> None:
    SEEN.append(labels.max().item())
    if labels.max() >= CLASSES:
        raise ValueError("labels out of range")


def that_notes(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    note(target)
    return F.mse_loss(scores[:, 0], target.float())


def shift(labels: Tensor) -> None:
    shifted = labels
    shifted += 1
    if labels.max() > CLASSES:
        raise ValueError("labels out of range")


def that_writes(step: Checking, data: Tensor, scores: Tensor, target: Tensor) -> Tensor:
    shift(target)
    return F.mse_loss(scores[:, 0], target.float())
