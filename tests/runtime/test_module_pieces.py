"""Tensors that are split, or rolled, by a size of the batch, or by a value of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from twins import Twins


class Step(nn.Module):
    def __init__(self, model: nn.Module, use: Callable[..., Tensor]) -> None:
        super().__init__()
        self.model, self.use = model, use

    def forward(self, data: Tensor, *given: object) -> Tensor:
        return self.use(self.model(torch.cat([data, data + 1])), *given or (data,))


def product(y: Tensor, data: Tensor) -> Tensor:
    one, other = torch.split(y, data.shape[0])
    return (one * other).sum()


def whole(y: Tensor, data: Tensor) -> Tensor:
    (all_of_it,) = y.split(y.shape[0], dim=0)
    return all_of_it.square().sum()


def half(y: Tensor, data: Tensor) -> Tensor:
    one, other = y.split(split_size=y.size(0) // 2)
    return (one * other.exp()).sum()


def first(y: Tensor, data: Tensor) -> Tensor:
    return y.split(data.size(0), 0)[0].square().sum()


def sections(y: Tensor, data: Tensor) -> Tensor:
    one, other, last = y.tensor_split(3)
    return one.exp().sum() + other.square().sum() - last.sum()


def halves(y: Tensor, data: Tensor) -> Tensor:
    one, other = torch.vsplit(y, 2)
    return (one * other.exp()).sum()


def chunks(y: Tensor, data: Tensor) -> Tensor:
    one, other = y.chunk(2)
    return (one * other.exp()).sum()


USES = {
    "product": product,
    "whole": whole,
    "half": half,
    "first": first,
    "sections": sections,
    "halves": halves,
    "chunks": chunks,
}


@pytest.mark.parametrize("name", USES)
def test_pieces_of_a_size_of_the_batch_need_one_graph(name: str) -> None:
    twins = Twins(nn.Linear(8, 4), USES[name], kind=Step, lr=0.01)
    for size in (4, 4, 5, 6, 7, 5, 3, 6):
        twins.step(torch.randn(size, 8))
    assert twins.backends == ["ort"]
    assert twins.ran_on_ort() == 6


def each(y: Tensor, data: Tensor) -> Tensor:
    pieces = torch.ones(12, 4).mul(y.mean(0)).split(data.shape[0])
    return sum(index * piece.square().sum() for index, piece in enumerate(pieces))  # type: ignore[return-value]


def test_another_number_of_pieces_is_right() -> None:
    twins = Twins(nn.Linear(8, 4), each, kind=Step, lr=0.01)
    for size in (4, 4, 6, 6, 12, 3, 4):
        twins.step(torch.randn(size, 8))


def by_a_value(y: Tensor, count: Tensor) -> Tensor:
    one, other = y.split(count)  # type: ignore[arg-type]
    return (one.sum(0) * other.mean(0)).sum()


def test_pieces_of_a_size_that_a_value_tells_run_eagerly() -> None:
    twins = Twins(nn.Linear(8, 4), by_a_value, kind=Step, lr=0.01)
    for count in (5, 5, 6, 7, 9):
        twins.step(torch.randn(5, 8), torch.tensor(count))
    assert "reads the value of a tensor (split)" in twins.reasons[0]


def test_pieces_of_a_size_that_is_a_number_are_followed() -> None:
    twins = Twins(nn.Linear(8, 4), by_a_value, kind=Step, lr=0.01)
    for count in (5, 5, 6, 7, 8, 9, 5):
        twins.step(torch.randn(5, 8), count)
    assert twins.ran_on_ort() >= 1


ROLLS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "alone": lambda y, shift: y.roll(shift, 0),  # type: ignore[call-overload]
    "by keywords": lambda y, shift: torch.roll(y, shifts=shift, dims=0),  # type: ignore[call-overload]
}


@pytest.mark.parametrize("name", ROLLS)
def test_a_roll_by_a_value_of_the_batch_is_followed(name: str) -> None:
    def use(y: Tensor, shift: Tensor) -> Tensor:
        return (ROLLS[name](y, shift)[:3] * y[:3]).sum()

    twins = Twins(nn.Linear(8, 4), use, kind=Step, lr=0.01)
    for shift in (2, 2, 3, 1, 4):
        twins.step(torch.randn(5, 8), torch.tensor(shift))
    assert twins.ran_on_ort() == 4
