"""The class makes a criterion that each round makes alike, and no other."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import torch
from torch import nn


def train(model, loader, optimizer, device, weight, smooth):
    for x, y in loader:
        {made}
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        {after}
"""

MADE = [
    ("criterion = nn.MSELoss()", "nn.MSELoss()"),
    ("criterion = torch.nn.MSELoss(reduction='sum')", "nn.MSELoss(reduction='sum')"),
    ("criterion = nn.CrossEntropyLoss(ignore_index=-1)", "nn.CrossEntropyLoss(ignore_index=-1)"),
    ("criterion = nn.L1Loss().to(device)", "nn.L1Loss()"),
]
KEPT = [
    pytest.param("criterion = nn.MSELoss()", "print(criterion(x, y))", id="used besides"),
    pytest.param("criterion = nn.MSELoss()  # For now.", "pass", id="a comment"),
    pytest.param("if smooth: criterion = nn.MSELoss()", "pass", id="in a branch"),
    pytest.param("criterion = nn.CrossEntropyLoss(weight)", "pass", id="weighted"),
    pytest.param("criterion = nn.MSELoss(); print(x)", "pass", id="beside another statement"),
    pytest.param(
        "criterion = nn.MSELoss()", "criterion = nn.L1Loss()", id="another one in between"
    ),
]


@pytest.mark.parametrize(("made", "built"), MADE)
def test_the_class_makes_what_each_round_makes_alike(made: str, built: str) -> None:
    text = rewrite_source(STEP.format(made=made, after="pass")).text
    assert f"        self.criterion = {built}\n" in text
    assert f"        {made}\n" not in text
    assert text.index("ort_module(ModuleWithLoss, model)") < text.index("for x, y")


@pytest.mark.parametrize(("made", "after"), KEPT)
def test_the_class_makes_no_other(made: str, after: str) -> None:
    text = rewrite_source(STEP.format(made=made, after=after)).text
    assert "self.criterion = nn." not in text
