"""Which attributes that only some path of a step reads are known to be there on every path."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

TRAINER = """\
import torch
from torch import nn


class Trainer:
    def __init__(self, weight):
        self.model = nn.Linear(4, 2)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.weight = weight
        {constructed}

    def build(self):
        {built}

    def train(self, batches):
        {before}
        for x, y in batches:
            out = self.model(x)
            loss = out.mean()
            if self.weight:
                loss = loss + self.criterion(out, y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


class Derived(Trainer):
    def {derived}(self):
        pass
"""
PLAIN = {
    "constructed": "self.build()",
    "built": "self.criterion = nn.MSELoss()",
    "before": "pass",
    "derived": "other",
}


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        pytest.param({}, None, id="a method that the constructor calls sets it"),
        pytest.param({"constructed": "self.built = self.build()"}, None, id="and gives something"),
        pytest.param({"constructed": "if weight: self.build()"}, "OW106", id="in a branch"),
        pytest.param({"constructed": "pass"}, "OW106", id="it calls none"),
        pytest.param(
            {"built": "if self.weight: self.criterion = nn.MSELoss()"}, "OW106", id="it may not set"
        ),
        pytest.param(
            {"built": "if self.weight: return\n        self.criterion = nn.MSELoss()"},
            "OW106",
            id="it may return before",
        ),
        pytest.param({"derived": "build"}, "OW106", id="a derived class has another"),
        pytest.param(
            {"constructed": "pass", "before": "self.criterion.to('cpu')"},
            None,
            id="it is read before the step",
        ),
        pytest.param(
            {"constructed": "pass", "before": "if batches: self.criterion.to('cpu')"},
            "OW106",
            id="it may be read before the step",
        ),
    ],
)
def test_an_attribute_is_passed_where_every_path_has_it(
    parts: dict[str, str], code: str | None
) -> None:

    (step,) = rewrite_source(TRAINER.format(**{**PLAIN, **parts})).steps
    assert step.code == code, step.message


ROUNDS = """\
import torch
from torch import nn


class Trainer:
    def setup(self, model, optimizer):
        self.model, self.optimizer = model, optimizer

    def choose(self):
        self.criterion = nn.MSELoss()

    def train(self, rounds):
        for batches in rounds:
            self.optimizer.zero_grad()
            {start}
            for x, y in batches:
                loss += self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
"""


@pytest.mark.parametrize(
    ("start", "code"),
    [
        pytest.param("loss = 0", None, id="without a round there is no loss"),
        pytest.param("loss = torch.zeros(1)", None, id="without a round no model has run"),
        pytest.param("loss = self.model(batches[0][0]).mean()", "OW106", id="one has at any rate"),
    ],
)
def test_a_loop_that_makes_the_loss_has_a_round(start: str, code: str | None) -> None:
    (step,) = rewrite_source(ROUNDS.format(start=start)).steps
    assert step.code == code, step.message
