"""What the values of a batch choose, where the first batch chose nothing, or one row."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from twins import Twins

from ortwrap.runtime.operators.coverage.cases import open_rows


class Step(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        loss: Tensor = self.model(x, mask)
        return loss


def train(model: nn.Module, counts: tuple[int, ...], shape: tuple[int, ...]) -> Twins:
    """Trains by masks of `shape` that choose so many entries each."""
    twins = Twins(model.double(), kind=Step, lr=0.01)
    size = torch.Size(shape).numel()
    for count in counts:
        mask = (torch.randperm(size) < count).view(shape)
        twins.step(torch.randn(5, 4, dtype=torch.double), mask, tolerance=1e-9)
    return twins


ROWS = {case.name: case for case in open_rows.CASES}


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("name", ROWS)
def test_rows_are_right_however_few_the_first_batch_chose(name: str, first: int) -> None:
    twins = train(ROWS[name].model(), (first, first, 3, 0, 1, 5), (5,))
    assert twins.ran_on_ort() == 5


class Grid(nn.Module):
    """A function of five grids of three by four, and of a mask of such a grid."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 12)
        self.function = function

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        grids = self.linear(x).view(-1, 3, 4)
        loss: Tensor = self.function(grids.clone(), mask).square().sum() + grids.mean()
        return loss


def written(grids: Tensor, mask: Tensor) -> Tensor:
    grids[:, mask] = 0.5
    return grids


def scaled(grids: Tensor, mask: Tensor) -> Tensor:
    grids[:, mask] *= 0.5
    return grids


def scaled_by_each(grids: Tensor, mask: Tensor) -> Tensor:
    grids[:, mask] *= grids.mean((1, 2))[:, None]
    return grids


def scaled_in_some(grids: Tensor, mask: Tensor) -> Tensor:
    grids[1:3, mask] += 1.0
    return grids


MASKED = {
    "read": lambda grids, mask: grids[:, mask] * 2,
    "read after an ellipsis": lambda grids, mask: grids[..., mask] * 2,
    "read, before an index": lambda grids, mask: grids.permute(1, 2, 0)[mask, 0],
    "written": written,
    "scaled": scaled,
    "scaled, each by its own": scaled_by_each,
    "scaled in some": scaled_in_some,
}


@pytest.mark.parametrize("first", [0, 1, 5])
@pytest.mark.parametrize("name", MASKED)
def test_a_mask_of_two_dimensions_among_other_indices(name: str, first: int) -> None:
    twins = train(Grid(MASKED[name]), (first, first, 0, 7, 1, 12), (3, 4))
    assert twins.ran_on_ort() == 5


def written_before(grids: Tensor, mask: Tensor) -> Tensor:
    turned = grids.permute(1, 2, 0).clone()
    turned[mask, 1:] *= 0.5
    return turned


def test_an_assignment_by_a_mask_before_other_indices() -> None:
    twins = Twins(Grid(written_before), kind=Step, lr=0.01)
    for _ in range(3):
        twins.step(torch.randn(5, 4), torch.rand(3, 4) > 0.5)
    assert set(twins.backends) == {"ort"}, twins.reasons
