"""Where a function has a kink the gradient is a convention: it is torch's, there too.

The first batches are far from any kink, so that the comparison with eager finds nothing.
"""

from __future__ import annotations

from typing import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ortwrap.runtime import ort_module

AT_KINKS = torch.tensor([[0.0, 6.0, -1.0, 1.0, 3.0, 7.0], [0.0, 0.0, 1.0, -1.0, 6.0, 2.0]])
FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "relu6": F.relu6,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.1),
    "hardtanh": F.hardtanh,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "softshrink": lambda x: F.softshrink(x, 1.0),
    "threshold": lambda x: F.threshold(x, 0.0, 0.0),
    "clamp": lambda x: x.clamp(-1, 1),
    "clamp of one side": lambda x: (1 - x).clamp(min=0),
    "abs": torch.abs,
    "to the power of 0": lambda x: x**0 * x,
    "to the power of 2": lambda x: x**2,
    "maximum": lambda x: torch.maximum(x, torch.ones_like(x)),
    "max": lambda x: x.max(1).values,
    "amax": lambda x: x.amax(1),
    "min": lambda x: x.min(0).values,
    "median": lambda x: x.median(1).values,
    "max_pool1d": lambda x: F.max_pool1d(x[None], 2),
    "norm": lambda x: x[:, :1].norm(dim=1),
    "normalize": lambda x: F.normalize(x * 0, dim=1),
    "std": lambda x: x.std(1),
    "prod": lambda x: x.prod(1),
    "cosine_similarity": lambda x: F.cosine_similarity(x * 0, x, dim=1),
    "cdist": lambda x: torch.cdist(x, x),
    "atan2": lambda x: torch.atan2(x, x.abs()),
    "l1_loss": lambda x: F.l1_loss(x, torch.zeros_like(x)),
    "smooth_l1_loss": lambda x: F.smooth_l1_loss(x, torch.zeros_like(x)),
    "huber_loss": lambda x: F.huber_loss(x, torch.zeros_like(x)),
    "margin_ranking_loss": lambda x: F.margin_ranking_loss(x[0], x[1], torch.ones(6)),
}


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 6))


class Step(nn.Module):
    def __init__(self, model: Scaled, form: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self.form = form

    def forward(self, x: Tensor) -> Tensor:
        return (self.form(self.model.weight * x) * 1.5).sum()


@pytest.mark.parametrize("name", FORMS)
def test_its_gradient_is_eagers(name: str) -> None:
    model = Scaled()
    step, again = ort_module(Step, model, FORMS[name]), Step(model, FORMS[name])
    torch.manual_seed(0)
    for x in (torch.randn(2, 6) * 3, torch.randn(2, 6) * 3, torch.randn(2, 6) * 3, AT_KINKS):
        (expected,) = torch.autograd.grad(again(x), model.weight)
        model.weight.grad = None
        step(x).backward()
        torch.testing.assert_close(model.weight.grad, expected, equal_nan=True)
    assert [row["backend"] for row in step.report()["signatures"]] == ["ort"]
