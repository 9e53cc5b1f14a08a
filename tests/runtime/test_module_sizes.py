"""Sizes that Python code used: a graph is compared anew for those, and for no others."""

from __future__ import annotations

import math
from typing import Any, Callable

import pytest
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


MEANS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "len(y[mask])": lambda y, mask: y[mask].sum() / max(len(y[mask]), 1),
    "len of them flattened": lambda y, mask: y.sum() / len(y[mask].flatten()),
    "len of what is computed": lambda y, mask: y.sum() / len(y[mask] @ y.T),
    "len(where(mask)[0])": lambda y, mask: y.sum() / len(torch.where(mask)[0]),
    "len(nonzero)": lambda y, mask: y.sum() / len(mask.nonzero()),
    "len(unique)": lambda y, mask: y.sum() / len(torch.unique(mask * torch.arange(5))),
    "len(arange(count))": lambda y, mask: y.sum() / len(torch.arange(mask.sum())),
    "len(repeat_interleave)": lambda y, mask: y.sum() / len(y.repeat_interleave(mask.long(), 0)),
    "int(numel)": lambda y, mask: y[mask].sum() / int(y[mask].numel()),
    "float(size)": lambda y, mask: y.sum() / float(y.masked_select(mask[:, None]).size(0) + 1),
    "a loop": lambda y, mask: sum(y[mask][row] for row in range(y[mask].shape[0])),
    "a branch": lambda y, mask: y[mask] * 2 if y[mask].shape[0] > 2 else y,
    "an expanded size": lambda y, mask: y[mask][:, None].expand(len(y[mask]), 2, 3),
}


def over(function: Callable[[Tensor, Tensor], Tensor]) -> Twins:
    class Chosen(Net):
        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
            return function(self.last(x), mask)

    twins = Twins(Chosen(), kind=Squared)
    for count in (2, 3, 4, 2, 5):
        twins.step(torch.randn(5, 6), torch.arange(5) < count)
    return twins


@pytest.mark.parametrize("name", MEANS)
def test_a_size_that_only_values_tell_is_no_number_of_a_graph(name: str) -> None:
    twins = over(MEANS[name])
    assert twins.backends == ["eager"]
    assert "only the values tell" in twins.reasons[0]


TYPED = """
class Step(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, mask):
        chosen = self.model(x)[mask]
        return chosen.mean() if chosen.shape[0] > 0 else self.model.bias.sum()
"""


@pytest.mark.parametrize("path", ["<stdin>", "<ipython-input-3-0a1b2c>"])
def test_code_that_has_no_file_is_watched_like_any_other(path: str) -> None:
    typed: dict[str, Any] = {"nn": nn}
    exec(compile(TYPED, path, "exec"), typed)
    twins = Twins(nn.Linear(6, 3), kind=typed["Step"])
    for count in (2, 3, 0, 5):
        twins.step(torch.randn(5, 6), torch.arange(5) < count)
    assert twins.backends == ["eager"]
    assert "only the values tell" in twins.reasons[0]


def test_a_size_that_only_values_tell_stays_a_tensor_of_the_graph() -> None:
    forms: list[Callable[[Tensor, Tensor], Tensor]] = [
        lambda y, mask: y[mask].sum() / y[mask].shape[0],
        lambda y, mask: y[mask].view(y[mask].shape[0], -1) + torch.zeros(y[mask].shape[0], 3),
        lambda y, mask: y[mask] / math.sqrt(y[mask].shape[1]),
        lambda y, mask: y.index_add(0, torch.where(mask)[0], y[mask]) / len(y),
        lambda y, mask: y[mask].mean(0) * torch.arange(y.shape[0])[:, None] / len(y),
    ]
    for form in forms:
        assert over(form).ran_on_ort() == 4
