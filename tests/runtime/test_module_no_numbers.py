"""Batches in which something is no number: results and gradients are where eager's are."""

from __future__ import annotations

import math
from typing import Any, Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ortwrap.runtime import ort_module

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "clamp": lambda x: x.clamp(-1, 1),
    "max pool": lambda x: F.max_pool1d(x[None], 2),
    "max": lambda x: x.max(),
    "min": lambda x: x.min(),
    "max of a dimension": lambda x: x.max(-1)[0],
    "max of two": lambda x: torch.max(x, torch.zeros(())),
    "maximum": lambda x: torch.maximum(x, x.flip(0) * 0.5),
    "minimum": lambda x: torch.minimum(x, x.flip(0) * 0.5),
    "sort": lambda x: x.sort(-1)[0],
    "argsort": lambda x: x.gather(-1, x.argsort(-1)),
    "erf": torch.erf,
    "distribution of normal numbers": lambda x: 0.5 * (1 + torch.erf(x / math.sqrt(2))),
    "gelu by hand": lambda x: x * 0.5 * (1 + torch.erf(x / math.sqrt(2))),
    "cross entropy": lambda x: F.cross_entropy(x, torch.zeros(4, dtype=torch.long)),
}


class Applied(nn.Module):
    """A function of weighted numbers."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.randn(4, 8))

    def forward(self, data: Tensor) -> Tensor:
        return self.function(data * self.weight)


class Step(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor) -> Any:
        return self.model(data)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_no_number_is_none_where_it_is_none_in_eager(name: str) -> None:
    model = Applied(FUNCTIONS[name])
    step = ort_module(Step, model)
    for special in (0.0, math.nan, 0.0, math.inf, -math.inf):
        data = torch.randn(4, 8)
        data[1, 2] += special
        found: list[list[Tensor]] = []
        for run in (step, model):
            result = run(data)
            found.append([result, *torch.autograd.grad(result.sum(), [model.weight])])
        torch.testing.assert_close(*found, equal_nan=True)
    assert step.report()["signatures"][0]["ort_calls"] == 4


def test_a_gelu_that_is_written_by_hand_is_found() -> None:
    step = ort_module(Step, Applied(FUNCTIONS["gelu by hand"]))
    step(torch.randn(4, 8)).sum().backward()
    (plan,) = step._dispatcher.plans()
    assert any("Gelu" in node.op_type for node in plan.graph.optimized_model.graph.node)
