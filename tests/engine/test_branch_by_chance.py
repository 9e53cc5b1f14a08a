"""A branch taken by chance is decided before the call, if the number is the same there."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import random

import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1))

    def forward(self, x):
        {forward}
        return self.inner(x)


model = Net()
criterion = nn.MSELoss()


def train(x, y, ratio):
    out = model(x)
    {between}
    if {test}:
        out = model(out)
    loss = criterion(out, y)
    loss.backward()
"""


def script(
    test: str = "random.random() < ratio", forward: str = "pass", between: str = "pass"
) -> str:
    return SCRIPT.format(test=test, forward=forward, between=between)


@pytest.mark.parametrize("test", ["random.random() < ratio", "0.5 > np.random.rand()"])
def test_it_is_decided_before_the_call(test: str) -> None:
    result = rewrite_source(script(test))
    assert [step.status for step in result.steps] == ["rewritten"]
    assert f"model_with_loss(x, {test}, y)" in result.text
    assert "def forward(self, x, by_chance, y):" in result.text


def test_what_is_drawn_between_stays_before_it() -> None:
    text = rewrite_source(script(between="print(random.random())")).text
    assert text.index("print(random.random())") < text.index(
        " = model_with_loss(x, random.random()"
    )


OTHERWISE = {
    "the model draws one before": script(forward="x = x * random.random()"),
    "it is compared with what the model computed": script("random.random() < out.mean()"),
    "it is compared with another": script("random.random() < np.random.rand()"),
    "it decides for a branch in a branch": script(
        "ratio:\n        out = out * 2\n        if random.random() < ratio"
    ).replace("        out = model(out)", "            out = model(out)"),
}


@pytest.mark.parametrize("text", OTHERWISE.values(), ids=OTHERWISE)
def test_it_stays_between_where_the_number_would_be_another(text: str) -> None:
    result = rewrite_source(text)
    assert {step.status for step in result.steps} == {"refused"}
