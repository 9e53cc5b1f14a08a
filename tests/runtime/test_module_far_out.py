"""Logits far from zero, as confident models give them: what is finite in eager stays so."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ortwrap.runtime import ort_module

FAR = torch.tensor([-100.0, -50.0, -20.0, -17.0, -12.0, -3.0, 3.0, 12.0, 17.0, 20.0, 50.0, 100.0])


class Logits(nn.Module):
    """Their loss; `form` says how it is taken."""

    def __init__(self, model: nn.Module, form: Any) -> None:
        super().__init__()
        self.model = model
        self.form = form

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        return self.form(self.model(data), target)


def of_two(y: Tensor) -> Tensor:
    return torch.stack([y, -y], -1)


FORMS = {
    "logsigmoid": lambda y, t: -F.logsigmoid(y).mean(),
    "binary cross entropy": F.binary_cross_entropy_with_logits,
    "binary cross entropy, weighted": lambda y, t: F.binary_cross_entropy_with_logits(
        y, t, weight=t + 0.5, pos_weight=torch.tensor(2.0)
    ),
    "binary cross entropy of each": lambda y, t: (
        F.binary_cross_entropy_with_logits(y, t, reduction="none") * torch.arange(12.0)
    ).sum(),
    "binary cross entropy of probabilities": lambda y, t: F.binary_cross_entropy(y.sigmoid(), t),
    "several labels": lambda y, t: F.multilabel_soft_margin_loss(y[None], t[None]),
    "cross entropy": lambda y, t: F.cross_entropy(of_two(y), t.long()),
    "log_softmax": lambda y, t: -F.log_softmax(of_two(y), -1)[:, 0].mean(),
    "logsumexp": lambda y, t: torch.logsumexp(of_two(y), -1).mean(),
    "softplus": lambda y, t: F.softplus(y).mean(),
    "tanh": lambda y, t: (torch.tanh(y) - t).square().mean(),
    "logarithm of silu": lambda y, t: F.silu(-y.abs().clamp(max=20)).neg().log().mean(),
    "softmax": lambda y, t: (F.softmax(of_two(y), -1)[:, 0] - t).square().mean(),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_is_finite_in_eager_is_what_eager_gives(name: str) -> None:
    model = nn.Linear(1, 1, bias=False)
    model = nn.Sequential(model, nn.Flatten(0))
    nn.init.ones_(model[0].weight)
    step = ort_module(Logits, model, FORMS[name])
    for target in (0.0, 1.0):
        labels = torch.full_like(FAR, target)
        for scale in (0.01, 0.01, 1.0):
            data = (FAR * scale)[:, None].requires_grad_()
            again = data.detach().clone().requires_grad_()
            expected, result = Logits(model, FORMS[name])(data, labels), step(again, labels)
            expected.backward()
            result.backward()
            torch.testing.assert_close(result, expected)
            torch.testing.assert_close(again.grad, data.grad)
    assert [row["backend"] for row in step.report()["signatures"]] == ["ort"]
