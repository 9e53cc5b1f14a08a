"""A loss does not move past what reads a value that only its calls change."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import torch
from torch import nn
from torch.nn import functional as F

model = nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class Objective:
    def __init__(self):
        self.values = []

    def __call__(self, out, y):
        loss = F.cross_entropy(out, y)
        self.values.append(loss.item())
        return loss


class Masked(nn.Module):
    def forward(self, out, y):
        {masks}
        return F.cross_entropy(out, y)


def masked_loss(out, y):
    {masks}
    return F.cross_entropy(out, y)


objective = Objective()
masked = Masked()
head = nn.Sequential(nn.{layer}, nn.Linear(3, 3))


def train(x, y):
    out = model(x)
    {reads}
    loss = {loss}
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
IN_PLACE = {"masks": "out[:, 2] = -1e4", "layer": "ReLU(inplace=True)"}
ANEW = {"masks": "out = out.clamp(min=0)", "layer": "ReLU()"}
SHOWS = "print(out.argmax(1))"


@pytest.mark.parametrize(
    "loss", ["masked_loss(out, y)", "masked(out, y)", "F.cross_entropy(head(out), y)"]
)
@pytest.mark.parametrize(
    ("done", "code"), [(IN_PLACE, "OW203"), (ANEW, None)], ids=["in place", "anew"]
)
def test_an_output_is_shown_before_the_loss_changes_it(
    loss: str, done: dict[str, str], code: str | None
) -> None:
    (step,) = rewrite_source(STEP.format(reads=SHOWS, loss=loss, **done)).steps
    assert step.code == code


@pytest.mark.parametrize(
    ("reads", "code"), [("print(out, objective.values)", "OW203"), (SHOWS, None)]
)
def test_an_object_that_keeps_losses_is_read_before_the_next(reads: str, code: str | None) -> None:
    (step,) = rewrite_source(STEP.format(reads=reads, loss="objective(out, y)", **ANEW)).steps
    assert step.code == code


def test_the_reason_says_that_a_call_changes_it() -> None:
    (step,) = rewrite_source(STEP.format(reads=SHOWS, loss="masked_loss(out, y)", **IN_PLACE)).steps
    assert "it reads `out`, which a call there changes" in step.message
