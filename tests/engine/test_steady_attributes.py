"""An attribute that what a step calls reads may change between calls of its function, not in it."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options

SCRIPT = """\
import numpy as np
import torch
from torch import nn


class Trainer:
    def __init__(self, model):
        self.model = model
        self.ce = nn.CrossEntropyLoss()
        self.scale = None

    def criterion(self, out, y):
        if self.scale is None:
            return self.ce(out, y)
        return self.ce(out, y) * self.scale / {count}

    def train(self, tasks):
        for loader in tasks:
            self.train_epoch(loader)
            {between_tasks}

    def train_epoch(self, loader):
        for x, y in loader:
            loss = self.criterion(self.model(x), y)
            loss.backward()
            {between_steps}

    def train_step(self, x, y):
        loss = self.criterion(self.model(x), y)
        loss.backward()

    def grow(self):
        self.scale = torch.ones(1) + (self.scale or 0)


trainer = Trainer(nn.Linear(4, 2))
"""


def script(
    tasks: str = "pass", steps: str = "pass", count: str = "np.prod(out.size())", once: bool = False
) -> str:
    text = SCRIPT.format(between_tasks=tasks, between_steps=steps, count=count)
    kept, _, rest = text.partition("    def train_step")
    if not once:
        return kept + "    def grow" + rest.partition("    def grow")[2]
    first, _, others = text.partition("    def train_epoch")
    return first + "    def train_step" + others.partition("    def train_step")[2]


@pytest.mark.parametrize("tasks", ["self.grow()", "self.scale = torch.ones(1)"])
def test_between_two_calls_it_may_change(tasks: str) -> None:
    result = rewrite_source(script(tasks=tasks))
    assert [step.status for step in result.steps] == ["rewritten"]
    alone = rewrite_source(script(tasks=tasks), Options(standalone=True))
    assert [step.code for step in alone.steps] == ["OW313"]


CHANGING = {
    "the loop changes it": script(steps="self.scale = torch.ones(1)"),
    "a method that the loop calls": script(steps="self.grow()"),
    "no loop: each call is a step": script(tasks="self.grow()", once=True),
}


@pytest.mark.parametrize("text", CHANGING.values(), ids=CHANGING)
def test_between_two_steps_it_may_not(text: str) -> None:
    assert [step.code for step in rewrite_source(text).steps] == ["OW107"]


@pytest.mark.parametrize(
    ("count", "code"),
    [
        ("np.prod(out.shape)", None),
        ("np.prod(out.size()).item()", None),
        ("np.prod(out)", "OW304"),
        ("np.prod(out.size(0) * out.max().item())", "OW301"),
        ("np.random.randint(out.size())", "OW304"),
    ],
)
def test_numpy_may_count_elements_and_nothing_else(count: str, code: str | None) -> None:
    assert [step.code for step in rewrite_source(script(count=count)).steps] == [code]
