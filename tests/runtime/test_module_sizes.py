"""Sizes that Python code used: a graph is compared anew for those, and for no others."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from twins import Twins


class Squared(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *batch: Tensor) -> Tensor:
        return self.model(*batch).square().mean()


class Net(nn.Module):
    """Two layers, and whatever a test adds."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(6, 3)


class OverTime(Net):
    def forward(self, x: Tensor) -> Tensor:
        state = torch.zeros(x.size(0), 6)
        for step in range(x.size(1)):
            state = torch.tanh(self.first(x[:, step]) + state)
        return self.last(state)


def compared(twins: Twins) -> int:
    """How many calls ran eagerly to compare a graph for new sizes."""
    rows = twins.wrapper.report()["signatures"]
    return sum(row["eager_calls"].get("new sizes or numbers, to compare", 0) for row in rows)


def test_rows_that_are_unpacked_fit_any_number_of_columns() -> None:
    class Graph(Net):
        def forward(self, x: Tensor, edges: Tensor) -> Tensor:
            loops = torch.arange(x.size(0)).unsqueeze(0).repeat(2, 1)
            source, target = torch.cat([edges, loops], 1)
            return self.last(torch.zeros_like(x).index_add(0, target, self.first(x)[source]))

    twins = Twins(Graph(), kind=Squared)
    for count in (20, 21, 22, 23, 24, 25):
        twins.step(torch.randn(5, 6), torch.randint(0, 5, (2, count)))
    assert twins.ran_on_ort() == 4
    assert twins.backends == ["ort"]


def test_a_loop_over_time_is_right_for_any_number_of_sequences() -> None:
    twins = Twins(OverTime(), kind=Squared)
    for count in (4, 5, 6, 7, 8, 9):
        twins.step(torch.randn(count, 3, 6))
    assert compared(twins) == 1
    assert twins.ran_on_ort() == 4
    for length in (2, 4, 3):
        twins.step(torch.randn(4, length, 6))


def test_a_size_that_is_used_is_compared_whatever_it_was_made_of() -> None:
    class Scaled(Net):
        def forward(self, x: Tensor) -> Tensor:
            count = x.size(0) * x.shape[1]
            return self.last(self.first(x)) / math.sqrt(count)

    class ScaledByItsOwn(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            return self.last(hidden) / len(hidden)

    class RowByRow(Net):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([self.last(torch.tanh(row)) for row in self.first(x)])

    for kind in (Scaled, ScaledByItsOwn, RowByRow):
        twins = Twins(kind(), kind=Squared)
        for count, length in ((4, 3), (5, 3), (6, 3), (4, 4), (4, 5), (5, 5), (6, 7)):
            twins.step(torch.randn(count, length, 6))
