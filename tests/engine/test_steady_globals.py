"""Globals that a function on the way to the loss reads: do they stay as long as steps run?"""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
from types import SimpleNamespace

import torch
from torch import nn

model = nn.Linear(4, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def penalised(out):
    return out.pow(2).mean() * options.scale


def anneal():
    {annealed}


def train(batches):
    {first}
    for x in batches:
        loss = penalised(model(x))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        {then}


{main}
"""
MADE = "options = SimpleNamespace()\n    options.scale = 2.0\n    train(torch.ones(3, 2, 4))"
PLAIN = {
    "annealed": "pass",
    "first": "pass",
    "then": "pass",
    "main": f"if __name__ == '__main__':\n    {MADE}",
}


def code_of(**parts: str) -> str | None:
    (step,) = rewrite_source(SCRIPT.format(**{**PLAIN, **parts})).steps
    return step.code


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({}, id="filled where the script begins"),
        pytest.param({"main": f"if True:\n    {MADE}\nelse:\n    {MADE}"}, id="in both branches"),
        pytest.param({"main": f"for _ in range(2):\n    {MADE}"}, id="anew for each training"),
        pytest.param(
            {"first": "global options\n    options = SimpleNamespace(scale=3)"}, id="above"
        ),
        pytest.param({"annealed": "global options\n    options = None"}, id="by nobody in between"),
    ],
)
def test_what_is_bound_above_the_steps_stays(parts: dict[str, str]) -> None:
    assert code_of(**parts) is None


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(
            {"first": "global options", "then": "options = SimpleNamespace(scale=3)"},
            id="in a step",
        ),
        pytest.param(
            {"annealed": "global options\n    options = None", "then": "anneal()"}, id="by a call"
        ),
    ],
)
def test_what_is_bound_between_two_steps_is_refused(parts: dict[str, str]) -> None:
    assert code_of(**parts) == "OW107"
