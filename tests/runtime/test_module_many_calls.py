"""Calls that are all different: what is kept of them does not grow with their number."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module
from ortwrap.runtime.settings import MAX_GRAPHS, MAX_SIGNATURES

CALLS = 3 * MAX_SIGNATURES


class OfWords(nn.Module):
    """The mean of the vectors of some words, which come as a list of numbers."""

    def __init__(self, model: nn.Embedding) -> None:
        super().__init__()
        self.model = model

    def forward(self, words: Sequence[int]) -> Tensor:
        return self.model(torch.tensor(words)).mean()


class Branching(nn.Module):
    """Branches on its number, and takes another one out of the graph."""

    def __init__(self, model: nn.Linear) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, times: int) -> Tensor:
        out = self.model(data)
        for _ in range(times):
            out = out * float(out.detach().max())
        return out.mean()


def rows_of(model: nn.Embedding) -> int:
    step = ort_module(OfWords, model)
    for first in range(CALLS):
        step([first, first + 1]).backward()
    rows = step.report()["signatures"]
    assert sum(row["calls"] for row in rows) == CALLS
    return len(rows)


def test_numbers_that_no_graph_is_made_for() -> None:
    assert rows_of(nn.Embedding(CALLS + 1, 2, sparse=True)) == 1


def test_numbers_that_each_have_a_graph() -> None:
    assert rows_of(nn.Embedding(CALLS + 1, 2)) <= MAX_GRAPHS + 1


def test_numbers_for_which_the_export_fails() -> None:
    step = ort_module(Branching, nn.Linear(2, 2))
    for times in range(CALLS):
        step(torch.ones(1, 2), times)
    assert len(step.report()["signatures"]) <= MAX_SIGNATURES + 1
