"""A loop over what the model returned makes a round in each step, or in none."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn


def train(model, criterion, loader, weights, measure):
    model.train()
    {before}
    for x, y in loader:
        outputs = model(x)
        if isinstance(outputs, list):
            loss = criterion(outputs[0], y)
            for output in {iterated}:
                loss += criterion(output, y)
        {otherwise}
        loss.backward()
        measure(output.detach(), y)
"""
OTHERWISE = "else:\n            output = outputs\n            loss = criterion(output, y)"


@pytest.mark.parametrize(
    ("iterated", "before", "otherwise", "code"),
    [
        pytest.param("outputs[1:]", "pass", OTHERWISE, None, id="the other outputs"),
        pytest.param("outputs", "pass", OTHERWISE, None, id="all outputs"),
        pytest.param("weights", "pass", OTHERWISE, "OW108", id="something else"),
        pytest.param("outputs[1:]", "output = None", OTHERWISE, "OW108", id="bound before"),
        pytest.param(
            "outputs[1:]",
            "pass",
            OTHERWISE.replace("else:", "elif isinstance(outputs, tuple):"),
            "OW108",
            id="neither branch may be taken",
        ),
    ],
)
def test_what_it_binds_comes_out(
    iterated: str, before: str, otherwise: str, code: str | None
) -> None:
    (step,) = rewrite_source(
        SCRIPT.format(iterated=iterated, before=before, otherwise=otherwise)
    ).steps
    assert step.code == code, step
