"""A class with the name of a loss that runs the model which it is given is what is trained."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn


class {name}(nn.Module):
    def __init__(self, {given}, criterion):
        super().__init__()
        self.{given} = {given}
        self.criterion = criterion

    def forward(self, x, y):
        return self.criterion(self.{given}(x), y)


def train(network, loader, optimizer):
    step = {name}(network, nn.MSELoss())
    for x, y in loader:
        optimizer.zero_grad()
        loss = step(x, y)
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ModelWithLoss", "model"),
        ("LossWrapper", "net"),
        ("AddLossModule", "module"),
        ("LossNetwork", "generator"),
    ],
)
def test_it_is_wrapped(name: str, given: str) -> None:
    result = rewrite_source(SCRIPT.format(name=name, given=given))
    assert result.status == "rewritten"
    assert "self.step(x, y)" in result.text


@pytest.mark.parametrize(
    ("name", "given"),
    [
        pytest.param("PerceptualLoss", "network", id="a loss that has a network"),
        pytest.param("LossWrapper", "teacher_model", id="a teacher is not trained"),
        pytest.param("LossWrapper", "loss_fn", id="a wrapped criterion"),
    ],
)
def test_a_criterion_alone_is_no_step(name: str, given: str) -> None:
    result = rewrite_source(SCRIPT.format(name=name, given=given))
    assert result.status != "rewritten"
