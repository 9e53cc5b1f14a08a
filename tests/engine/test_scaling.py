"""A branch that divides the loss stays behind the call, whatever else it does beside the loss."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn

model = nn.Linear(4, 2)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(batches, steps):
    for x, y in batches:
        out = model(x)
        loss = criterion(out, y)
        accuracy = out.argmax(1).float().mean()
        if steps > 1:
            {first}
            {second}
        loss.backward()
        optimizer.step()
        print(accuracy.item())
"""


def knows_the_divisor(first: str, second: str) -> bool:
    text = rewrite_source(SCRIPT.format(first=first, second=second)).text
    (call,) = (line for line in text.splitlines() if "= model_with_loss(" in line)
    return "steps" in call


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("loss /= steps", "accuracy /= steps", id="a metric behind it"),
        pytest.param("accuracy = accuracy / steps", "loss = loss / steps", id="before it"),
        pytest.param("loss = loss * 2 / steps", "print('divided')", id="it says so"),
    ],
)
def test_a_branch_that_only_scales_the_loss_stays(first: str, second: str) -> None:
    assert not knows_the_divisor(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("loss /= steps", "loss = loss + out.abs().mean()", id="a term is added"),
        pytest.param("loss /= steps", "out = out * loss", id="it is read"),
    ],
)
def test_a_branch_that_does_more_with_the_loss_goes_with_it(first: str, second: str) -> None:
    assert knows_the_divisor(first, second)
