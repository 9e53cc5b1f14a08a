"""Copies that `.to(..., copy=True)` makes of tensors that have the dtype already."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins


def of_integers(scores: Tensor) -> Tensor:
    return F.cross_entropy(scores, scores.detach().argmax(1).to(torch.int64, copy=True))


def written_to(scores: Tensor) -> Tensor:
    doubled = scores.to(scores.dtype, copy=True)
    doubled.mul_(2)
    positive = scores.detach() > 0
    others = positive.to(torch.bool, copy=True)
    others[0] = False
    return (doubled * scores * others).sum() + (scores * positive).sum()


COPIES: dict[str, Callable[[Tensor], Tensor]] = {
    "by a dtype": lambda scores: scores.to(scores.dtype, copy=True).square().sum(),
    "by another tensor": lambda scores: scores.to(scores, copy=True).square().sum(),
    "by a device": lambda scores: scores.to("cpu", copy=True).square().sum(),
    "of a column": lambda scores: scores[:, 1].to(scores.dtype, copy=True).exp().sum(),
    "of integers": of_integers,
    "that are written to": written_to,
}


class Step(nn.Module):
    def __init__(self, model: nn.Module, use: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model, self.use = model, use

    def forward(self, data: Tensor) -> Tensor:
        return self.use(self.model(data))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_of_the_same_dtype_trains_on_ort(name: str, dtype: torch.dtype) -> None:
    twins = Twins(nn.Linear(8, 4).to(dtype), COPIES[name], kind=Step, lr=0.01)
    for size in (5, 5, 3, 5):
        twins.step(torch.randn(size, 8, dtype=dtype))
    assert twins.ran_on_ort() == 2


class Follows(nn.Module):
    """Reads a buffer as it was before forward writes to it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4)
        self.register_buffer("average", torch.zeros(4))

    def forward(self, data: Tensor) -> Tensor:
        scores = self.linear(data)
        before = self.average.to(torch.float32, copy=True)
        self.average.mul_(0.9).add_(scores.detach().mean(0), alpha=0.1)
        return (scores - before) * self.average


def test_a_copy_of_a_buffer_is_what_was_there() -> None:
    twins = Twins(Follows(), nn.CrossEntropyLoss())
    for _ in range(4):
        twins.step(torch.randn(6, 8), torch.randint(0, 4, (6,)))
    assert twins.ran_on_ort() == 3
