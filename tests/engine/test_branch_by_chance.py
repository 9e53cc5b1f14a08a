"""A branch taken by chance is decided before the call, if the number is the same there."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

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


SCRIPT_BESIDE = """\
import random

import torch
from torch import nn

from parts import Encoder, Picky

inner = {inner}
encoder = Encoder({given})
decoder = nn.Linear(4, 4)
optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.1)


def train(x, y, ratio):
    out = encoder(x)
    forced = True if random.random() < ratio else False
    if forced:
        out = decoder(out)
    loss = nn.functional.mse_loss(out, y)
    loss.backward()
"""
DERIVED = """

class Handing(Encoder):
    def __init__(self, inner):
        super().__init__(inner)


known = Encoder(nn.Identity())
"""
PARTS = """\
import random

from torch import nn


class Encoder(nn.Module):
    def __init__(self, inner=None):
        super().__init__()
        self.inner = inner
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        return self.dropout(self.inner(x)){more}


class Picky(nn.Module):
    def forward(self, x):
        return x * random.random()
"""


@pytest.mark.parametrize(
    ("inner", "given", "more", "status"),
    [
        pytest.param("nn.Linear(4, 4)", "inner", "", "rewritten", id="torch's numbers only"),
        pytest.param("nn.Linear(4, 4)", "Encoder(inner)", "", "rewritten", id="one in another"),
        pytest.param("Picky()", "inner", "", "refused", id="a module that it is given draws"),
        pytest.param("Picky()", "Encoder(inner)", "", "refused", id="so does one further inside"),
        pytest.param("Picky()", "", "", "refused", id="a module that nobody gives"),
        pytest.param("1", "nn.Identity()", " * random.random()", "refused", id="it draws itself"),
    ],
)
def test_the_model_may_come_from_another_file(
    inner: str, given: str, more: str, status: str, tmp_path: Path
) -> None:
    (tmp_path / "parts.py").write_text(PARTS.format(more=more))
    result = rewrite_beside(tmp_path / "train.py", SCRIPT_BESIDE.format(inner=inner, given=given))
    assert [step.status for step in result.steps] == [status], result.steps


def test_a_derived_class_may_hand_on_what_draws(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(PARTS.format(more="") + DERIVED)
    script = SCRIPT_BESIDE.replace("Encoder(", "Handing(").replace("Encoder,", "Handing,")
    (step,) = rewrite_beside(
        tmp_path / "train.py", script.format(inner="Picky()", given="inner")
    ).steps
    assert step.status == "refused"
