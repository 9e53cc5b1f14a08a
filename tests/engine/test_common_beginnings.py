"""The loss that both branches begin with is lifted once, unless the test has to come before it."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import random

import torch
from torch import nn

model = nn.Linear(4, 2)
criterion = nn.MSELoss()


def train(x, y, args, loss):
    out = model(x)
    if {test}:
        {first}
        (loss / 2).backward()
    else:
        {second}
        loss.backward()
"""
LOSS = "loss = criterion(out, y)"


def script(test: str = "args.steps > 1", first: str = LOSS, second: str = LOSS) -> str:
    return STEP.format(test=test, first=first, second=second)


def test_it_is_lifted_before_the_if() -> None:
    result = rewrite_source(script())
    assert [step.status for step in result.steps] == ["rewritten"]
    wanted = (
        "    loss = model_with_loss(x, y)\n    if args.steps > 1:\n        (loss / 2).backward()\n"
    )
    assert result.text.endswith(f"{wanted}    else:\n        loss.backward()\n")


APART = {
    "the branches have other losses": script(second="loss = criterion(out, y + 1)"),
    "the test reads the name": script(test="loss is None"),
    "the test runs code": script(test="random.random() < 0.5"),
    "something comes first": script(second=f"y = y + 1\n        {LOSS}"),
}


@pytest.mark.parametrize("text", APART.values(), ids=APART)
def test_it_stays_in_the_branches(text: str) -> None:
    result = rewrite_source(text)
    assert result.text == text
    assert {step.code for step in result.steps} == {"OW104"}
