"""Writes to tensors that share memory, by masks that are empty in the batches that are compared."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from twins import Twins

Function = Callable[[Tensor, Tensor], Tensor]
EMPTY = 3


class Step(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        loss: Tensor = self.model(x, labels == 7)
        return loss


class Rows(nn.Module):
    """A function of six rows of four, and of a mask of them."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 4)
        self.function = function

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        rows = self.linear(x) * 1.5
        made = self.function(rows, mask) + 0.3
        weights = torch.linspace(0.5, 2, made.numel()).view(made.shape)
        loss: Tensor = (made.square() * weights).sum() + rows.mean()
        return loss


def train(function: Function) -> Twins:
    """Six steps, of which the first ones write nothing, beside eager."""
    twins = Twins(Rows(function), kind=Step, lr=0.001)
    for batch in range(2 * EMPTY):
        labels = torch.randint(0, 7, (6, 4))
        if batch >= EMPTY:
            labels[torch.rand(6, 4) > 0.5] = 7
        twins.step(torch.randn(6, 5), labels)
    return twins


VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "part": lambda rows: rows[1:4],
    "column": lambda rows: rows[:, 0],
    "none": lambda rows: rows[None],
    "view": lambda rows: rows.view(-1),
    "reshape": lambda rows: rows.reshape(-1),
    "flatten": lambda rows: rows.flatten(),
    "T": lambda rows: rows.T,
    "transpose": lambda rows: rows.transpose(0, 1),
    "permute": lambda rows: rows.permute(1, 0),
    "unsqueeze": lambda rows: rows.unsqueeze(0),
    "narrow": lambda rows: rows.narrow(0, 1, 4),
    "diagonal": lambda rows: rows.diagonal(),
    "expand": lambda rows: rows.expand(2, 6, 4),
    "detach": lambda rows: rows.detach(),
    "data": lambda rows: rows.data,
    "view of a view": lambda rows: rows.t()[1:3],
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_holds_what_is_written_after_it_was_taken(name: str) -> None:
    def read_after(rows: Tensor, mask: Tensor) -> Tensor:
        view = VIEWS[name](rows)
        rows[mask] = 0.0
        return view

    assert train(read_after).ran_on_ort() == 5


@pytest.mark.parametrize("unbound", [False, True])
def test_parts_of_a_buffer_hold_what_is_written_after_they_were_taken(unbound: bool) -> None:
    def read_after(rows: Tensor, mask: Tensor) -> Tensor:
        kept = torch.ones(6, 4)
        parts = kept.unbind(0) if unbound else list(kept)
        kept[mask] = 0.5
        return rows * parts[2]

    assert train(read_after).ran_on_ort() == 5


def masked(rows: Tensor, mask: Tensor) -> None:
    rows[:, 1].masked_fill_(mask[:, 1], 0.0)


def masked_row(rows: Tensor, mask: Tensor) -> None:
    rows[2][1:3].masked_fill_(mask[2, 1:3], 0.0)


def added(rows: Tensor, mask: Tensor) -> None:
    rows[:, 1:3].add_(mask[:, 1:3].float())


def scattered(rows: Tensor, mask: Tensor) -> None:
    places = torch.arange(2).expand(6, 2)
    rows[:, 1:3].scatter_add_(1, places, mask[:, 1:3].float())


def two_in_turn(rows: Tensor, mask: Tensor) -> None:
    rows[:, 0].mul_(1 - mask[:, 0].float())
    rows[:, 1].add_(mask[:, 0].float())


def scaled(rows: Tensor, mask: Tensor) -> None:
    rows[:, 1] **= 2
    rows[..., 0] *= 1 - mask[:, 0].float()


@pytest.mark.parametrize("write", [masked, masked_row, added, scattered, two_in_turn, scaled])
def test_a_tensor_holds_what_is_written_to_a_part(write: Callable[[Tensor, Tensor], None]) -> None:
    def read_after(rows: Tensor, mask: Tensor) -> Tensor:
        write(rows, mask)
        return rows

    assert train(read_after).ran_on_ort() == 5


def test_what_is_elsewhere_is_not_asked_for() -> None:
    def read_other(rows: Tensor, mask: Tensor) -> Tensor:
        turned = rows.clone().t()
        first, second = turned[0], turned[1]
        first.mul_(1 - mask[:, 0].float())
        return second + first

    assert train(read_other).ran_on_ort() == 5


def transposed(rows: Tensor, mask: Tensor) -> None:
    rows.t()[mask.t()] = 0.0


def viewed(rows: Tensor, mask: Tensor) -> None:
    rows.view(-1).masked_fill_(mask.view(-1), 0.0)


def grouped(rows: Tensor, mask: Tensor) -> None:
    rows.view(6, 2, 2)[:, 1].mul_(1 - mask[:, 2:].float())


def narrowed(rows: Tensor, mask: Tensor) -> None:
    rows.narrow(1, 1, 2).masked_fill_(mask[:, 1:3], 0.0)


def diagonal(rows: Tensor, mask: Tensor) -> None:
    rows.diagonal().mul_(1 - mask[:4, 0].float())


def with_a_new_dimension(rows: Tensor, mask: Tensor) -> None:
    rows[None][0, mask[:, 0]] = 0.0


def of_data(rows: Tensor, mask: Tensor) -> None:
    rows.data.masked_fill_(mask, 0.0)


def detached(rows: Tensor, mask: Tensor) -> None:
    rows.detach()[mask] = 0.0


def without_gradients(rows: Tensor, mask: Tensor) -> None:
    with torch.no_grad():
        rows.mul_(1 - mask.float())


def twice(rows: Tensor, mask: Tensor) -> None:
    column = rows[:, 0]
    column.mul_(1 - mask[:, 0].float())
    column.add_(mask[:, 0].float())


def two_of_before(rows: Tensor, mask: Tensor) -> None:
    first, second = rows[:, 0], rows[:, 1]
    first.mul_(1 - mask[:, 0].float())
    second.add_(mask[:, 0].float())


NOT_FOLLOWED = [
    *(transposed, viewed, grouped, narrowed, diagonal, with_a_new_dimension, of_data, detached),
    *(without_gradients, twice, two_of_before),
]


@pytest.mark.parametrize("write", NOT_FOLLOWED)
def test_writes_that_no_graph_follows_are_refused(write: Callable[[Tensor, Tensor], None]) -> None:
    def read_after(rows: Tensor, mask: Tensor) -> Tensor:
        write(rows, mask)
        return rows * 1.0

    twins = train(read_after)
    assert twins.ran_on_ort() == 0
    assert "in place" in twins.reasons[0]
    place = twins.wrapper.report()["signatures"][0]["place"]
    assert place is not None
    assert place.startswith(f"{__file__}:")


class Returns(nn.Module):
    """Returns what was written to, unread."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.model(x) * 2
        loss = scores.square().mean()
        shown = scores.detach() + 1
        shown.t()[(labels == 7).t()] = 0.0
        return loss, shown


def test_what_is_returned_is_read() -> None:
    twins = Twins(nn.Linear(5, 4), kind=Returns)
    for batch in range(2 * EMPTY):
        labels = torch.full((6, 4), 7 if batch >= EMPTY else 0)
        twins.step(torch.randn(6, 5), labels)
    assert twins.ran_on_ort() == 0
