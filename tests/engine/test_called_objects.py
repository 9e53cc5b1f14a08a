"""The class of an object tells what calling it between model and loss does."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn

model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
limits = [1.0, 2.0]


class Anneal:
    def __init__(self, top=1.0):
        self.top, self.calls = top, 0

    def __call__(self):
        self.calls += 1
        return self.top / self.calls


class Twice(nn.Module):
    def forward(self, x):
        return x * 2


anneal = Anneal()


class Trainer:
    def __init__(self):
        self.anneal = Anneal()

    def train(self, x, y):
        output = model(x)
        beta = anneal()
        loss = criterion(output, y) * beta
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("", "", id="as it is"),
        pytest.param("beta = anneal()", "beta = self.anneal()", id="of the instance"),
        pytest.param("beta = anneal()", "beta = anneal() + anneal()", id="called twice"),
    ],
)
def test_an_object_that_counts_its_calls_stays_between(old: str, new: str) -> None:
    (step,) = rewrite_source(SCRIPT.replace(old, new)).steps
    assert step.status == "rewritten"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("return x * 2", "return x * anneal.calls", id="a model reads its count"),
        pytest.param("return x * 2", "return x * anneal()", id="a model calls it as well"),
        pytest.param(
            "criterion(output, y)", "criterion(output, y) * anneal.top", id="so does the loss"
        ),
        pytest.param(
            "= Anneal()\n\n\nclass", "= Anneal(limits)\nother = anneal\n\n\nclass", id="an alias"
        ),
        pytest.param("self.calls += 1", "limits.append(self.calls)", id="it changes a list"),
        pytest.param("self.calls += 1", "self.calls += torch.rand(1)", id="it draws"),
        pytest.param("self.calls += 1", "model.eval()", id="it changes a mode"),
        pytest.param("self.calls += 1", "optimizer.step()", id="it updates"),
        pytest.param("    def __call__(self)", "    def value(self)", id="what it runs is unknown"),
        pytest.param("beta = anneal()", "beta = self.other()", id="nobody knows who made it"),
    ],
)
def test_what_may_matter_is_refused(old: str, new: str) -> None:
    assert old in SCRIPT
    text = SCRIPT.replace(
        "model = nn.Linear(4, 3)", "model = nn.Sequential(nn.Dropout(), nn.Linear(4, 3))"
    )
    (step,) = rewrite_source(text.replace(old, new)).steps
    assert step.code == "OW203"
