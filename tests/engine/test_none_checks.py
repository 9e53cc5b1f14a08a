"""Which checks between model and loss go into forward with them."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn


def train(model, loader, optimizer, criterion, extra, name):
    for x, y in loader:
        optimizer.zero_grad()
        logits, features = model(x)
        if {test}:
            {does}
        loss = criterion(logits, y) + features.pow(2).mean()
        loss.backward()
        optimizer.step()
"""
RAISES = 'raise RuntimeError("no features")'


@pytest.mark.parametrize("test", ["features is None", "features is None or logits is None"])
def test_a_check_of_what_the_model_gave_goes_into_forward(test: str) -> None:
    text = rewrite_source(SCRIPT.format(test=test, does=RAISES)).text
    assert f"        if {test}:\n            {RAISES}\n" in text[: text.index("def train")]
    assert "loss = model_with_loss(x, y)" in text


@pytest.mark.parametrize(
    ("test", "does"),
    [
        pytest.param("extra is None", RAISES, id="of what was there before"),
        pytest.param("features is None", 'print("no features")', id="does not raise"),
        pytest.param("features is None", 'raise ValueError(f"{name}")', id="has to be told more"),
        pytest.param("features.shape[0] != 8", RAISES, id="of a size"),
    ],
)
def test_other_statements_stay_outside(test: str, does: str) -> None:
    result = rewrite_source(SCRIPT.format(test=test, does=does))
    if result.status == "rewritten":
        assert does not in result.text[: result.text.index("def train")]
