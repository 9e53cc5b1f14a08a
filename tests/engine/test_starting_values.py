"""Which values that a branch may replace forward starts with, and which it is given."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn


def train(model, loader, optimizer, criterion, weight):
    for x, y in loader:
        optimizer.zero_grad()
        {starts}
        {between}
        output = model(x)
        if weight > 0:
            penalty, note = output.norm(), 1
        loss = criterion(output, y) + weight * penalty
        {after}
        loss.backward()
        optimizer.step()
"""


def _rewritten(starts: str, between: str = "pass", after: str = "pass") -> str:
    text = rewrite_source(SCRIPT.format(starts=starts, between=between, after=after)).text
    assert "ort_module(" in text
    return text


@pytest.mark.parametrize(
    "starts", ["penalty = 0.0", "penalty = -1", "note = penalty = 0", "penalty, note = 0, None"]
)
def test_forward_starts_with_what_is_written_out(starts: str) -> None:
    text = _rewritten(starts)
    assert "def forward(self, x, weight, y):" in text


@pytest.mark.parametrize(
    ("starts", "between"),
    [
        pytest.param("penalty = x.sum()", "pass", id="computed"),
        pytest.param("penalty = 0.0", "print(penalty)", id="read before the step"),
        pytest.param("penalty = other = 0.0", "pass", id="another name that no branch binds"),
    ],
)
def test_another_value_is_an_argument(starts: str, between: str) -> None:
    text = _rewritten(starts, between)
    assert "penalty" in text.split("def forward(")[1].split(")")[0]
    assert f"        {starts}\n" in text[text.index("def train") :]


def test_the_value_is_there_after_the_step() -> None:
    text = _rewritten("penalty = 0.0", after="print(penalty)")
    assert "loss, penalty = model_with_loss(x, weight, y)" in text


def test_what_handles_a_failure_finds_the_value() -> None:
    text = """\
import torch
from torch import nn


def train(model, loader, optimizer, criterion, weight):
    for x, y in loader:
        try:
            penalty = None
            output = model(x)
            if weight > 0:
                penalty = output.norm()
            loss = criterion(output, y) if penalty is None else criterion(output, y) + penalty
            loss.backward()
            optimizer.step()
        except RuntimeError:
            print(penalty)
"""
    result = rewrite_source(text)
    if result.status == "rewritten":
        assert "            penalty = None\n" in result.text[result.text.index("def train") :]
