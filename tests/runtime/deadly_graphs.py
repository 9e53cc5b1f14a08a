"""Run by `test_deaths.py`: steps whose graph kills a process that makes it, beside eager.

Prints a line per case, at last `alive`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ortwrap.runtime import ort_module


class LastWord(nn.Module):
    """A classifier that reads what stands at the end of a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.before = nn.Linear(6, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(torch.tanh(self.before(x))[:, -1])
        return scores


class WeightsInDouble(nn.Module):
    """A penalty in another precision than the model's."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        penalty = sum(weight.double().pow(2).sum() for weight in self.model.parameters())
        return F.cross_entropy(self.model(data), target) + 1e-2 * penalty


class FirstPiece(nn.Module):
    """It cuts a batch in as many pieces as there are, and trains on the first."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor) -> Tensor:
        return self.model(data).split(4)[0].square().sum()


def pieces() -> None:
    model = nn.Linear(6, 3)
    step, eager = ort_module(FirstPiece, model), FirstPiece(model)
    for size in (8, 8, 10, 10, 3, 8, 12):
        data = torch.randn(size, 6)
        expected = torch.autograd.grad(eager(data), list(model.parameters()))
        model.zero_grad()
        step(data).backward()
        torch.testing.assert_close([weight.grad for weight in model.parameters()], list(expected))
    assert step.report()["signatures"][0]["ort_calls"] >= 2, step.report()
    print("another number of pieces")


def precisions() -> None:
    model = LastWord()
    step, eager = ort_module(WeightsInDouble, model), WeightsInDouble(model)
    for _ in range(3):
        batch = torch.randn(5, 7, 6), torch.randint(0, 3, (5,))
        expected = torch.autograd.grad(eager(*batch), list(model.parameters()))
        model.zero_grad()
        step(*batch).backward()
        torch.testing.assert_close([weight.grad for weight in model.parameters()], list(expected))
    assert step.report()["signatures"][0]["ort_calls"] == 2, step.report()
    print("a penalty in another precision")


def main() -> None:
    torch.manual_seed(0)
    precisions()
    pieces()
    print("alive")


main()
