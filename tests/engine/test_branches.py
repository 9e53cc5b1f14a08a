"""An `if` that cannot go into forward is a step in each branch, if each is one by itself."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = """\
import random

import torch
from torch import nn

model, head = nn.Linear(4, 4), nn.Linear(4, 2)
criterion = nn.MSELoss()


def train(loader, kind):
    for x, y in loader:
        loss = None
{branches}
        loss.backward()
{after}
"""
PLAIN = ["out = model(x)", "loss = criterion(out, y)"]
MIXED = ["x = x + random.random()", "out = model(x)", "loss = criterion(out, y) * 2"]


def script(*branches: tuple[str, list[str]], after: str = "") -> str:
    lines = [
        line
        for test, body in branches
        for line in (f"        {test}:", *(f"            {each}" for each in body))
    ]
    return HEAD.format(branches="\n".join(lines), after=after)


STEPS = {
    "mixed by chance": script(("if random.random() < 0.5", MIXED), ("else", PLAIN)),
    "three of them": script(
        ("if random.random() < 0.5", MIXED), ("elif kind == 1", MIXED), ("else", PLAIN)
    ),
    "a branch that leaves": script(("if random.random() < 0.5", ["continue"]), ("else", PLAIN)),
    "a branch that fails": script(
        ("if random.random() < 0.5", MIXED), ("else", ["raise ValueError(kind)"])
    ),
    "branches in a branch": script(
        ("if random.random() < 0.5", MIXED),
        ("else", ["if random.random() < 0.2:", *(f"    {line}" for line in MIXED), "else:"]
         + [f"    {line}" for line in PLAIN]),
    ),
}  # fmt: skip
NO_STEPS = {
    "a loss of no module": script(
        ("if random.random() < 0.5", ["loss = y.mean() * random.random()"]), ("else", PLAIN)
    ),
    "a number taken out of the graph": script(
        ("if random.random() < 0.5", MIXED),
        ("else", ["out = model(x)", "loss = criterion(out / out.max().item(), y)"]),
    ),
    "a graph that goes on behind the branches": script(
        ("if random.random() < 0.5", MIXED), ("else", PLAIN),
        after="        (out.mean() + head(out).mean()).backward()",
    ),
}  # fmt: skip
NOTED = """\
import torch
from torch import nn

model, criterion = nn.Linear(4, 4), nn.MSELoss()


def train(x, y, amp, timed, losses, others):
    if amp:
        with {scope}:
            loss = criterion(model(x), y)
            losses.append(loss.item())
    else:
        loss = criterion(model(x), y + 1)
        {note}
    loss.backward()
"""
NOTES = {
    "in another list": NOTED.format(
        scope="torch.autocast('cpu')", note="others.append(loss.item())"
    ),
    "in one branch alone": NOTED.format(scope="torch.autocast('cpu')", note="pass"),
    "in a scope that may look at the list": NOTED.format(
        scope="timed", note="losses.append(loss.item())"
    ),
}


@pytest.mark.parametrize("text", NOTES.values(), ids=NOTES)
def test_notes_that_cannot_stand_behind_the_if_stay_in_its_branches(text: str) -> None:
    result = rewrite_source(text)
    assert [step.status for step in result.steps] == ["rewritten"]
    body = result.text.partition("def train(")[2]
    assert body.count("loss = model_with_loss") == 2
    assert "            losses.append(loss.item())\n" in body


@pytest.mark.parametrize("text", STEPS.values(), ids=STEPS)
def test_each_branch_calls_a_wrapper(text: str) -> None:
    result = rewrite_source(text)
    assert [step.status for step in result.steps] == ["rewritten"]
    assert "model(x)" not in result.text.partition("def train(")[2]
    assert "if random.random() < 0.5:" in result.text


@pytest.mark.parametrize("text", NO_STEPS.values(), ids=NO_STEPS)
def test_all_stay_if_one_is_no_step(text: str) -> None:
    result = rewrite_source(text)
    assert {step.status for step in result.steps} == {"refused"}


def test_what_a_branch_may_hand_out_before_backward_keeps_its_gradient() -> None:
    leaving = [*PLAIN, "if kind is None:", "    return loss, out"]
    result = rewrite_source(
        script(("if random.random() < 0.5", MIXED), ("else", leaving), after="        print(out)")
    )
    assert "out.detach()\n" in result.text
    assert "return loss, out\n\n" in result.text
