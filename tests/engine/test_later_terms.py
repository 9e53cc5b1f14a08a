"""An output that a statement puts among the terms of the loss keeps its graph."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_run import assert_same, run

from ortwrap.engine import rewrite_source

HEAD = """\
import operator
from types import SimpleNamespace

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
TERMS = []
store = SimpleNamespace()
note = TERMS.append


class Tracker:
    def record(self, output):
        self.kept = [output]

    def total(self):
        return sum(output.pow(2).mean() for output in self.kept)


class Penalty:
    def after_loss(self, output, losses):
        losses["size"] = output.pow(2).mean()


def penalise(loss, output):
    loss += output.pow(2).mean()


def keep(value):
    TERMS[:] = [value]


def with_terms(loss):
    return loss + sum(TERMS)


def finish(loss):
    optimizer.zero_grad()
    (loss + sum(TERMS)).backward()
    optimizer.step()


tracker, callbacks = Tracker(), [Penalty()]
for _ in range(3):
    x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
    TERMS.clear()
    output = model(x)
"""
LOSS = "    loss = criterion(output, y)\n"
UPDATE = "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n"

UNDER_TWO_NAMES = """\
def train():
    output = model(x)
    loss = criterion(output, y)
    STORE["size"] = output.mean()
    loss = loss + same["size"]
    loss.backward()
    optimizer.step()


STORE = {}
same = STORE
train()
"""

KEPT = {
    "in a dict that the module knows by two names": UNDER_TWO_NAMES,
    "added in place by a function": LOSS + "    penalise(loss, output)\n" + UPDATE,
    "added in place by an operator": LOSS
    + "    operator.iadd(loss, output.pow(2).mean())\n"
    + UPDATE,
    "in a list of the module, by a function": LOSS
    + "    keep(output.mean())\n    loss = loss + sum(TERMS)\n"
    + UPDATE,
    "in a list that a function sums": LOSS
    + "    keep(output.mean())\n    loss = with_terms(loss)\n"
    + UPDATE,
    "in a list that the function sums which runs backward": LOSS
    + "    keep(output.mean())\n    finish(loss)\n",
    "in a list, by its bound method": LOSS
    + "    note(output.mean())\n    loss = loss + sum(TERMS)\n"
    + UPDATE,
    "in a list, by a method that is handed on": LOSS
    + "    list(map(TERMS.append, [output.mean()]))\n    loss = loss + sum(TERMS)\n"
    + UPDATE,
    "in an object": LOSS
    + "    tracker.record(output)\n    loss = loss + tracker.total()\n"
    + UPDATE,
    "in an object that backward's expression asks": LOSS
    + "    tracker.record(output)\n    (loss + tracker.total()).backward()\n    optimizer.step()\n",
    "in an attribute": LOSS
    + "    setattr(store, 'size', output.mean())\n    loss = loss + store.size\n"
    + UPDATE,
    "in a dict, by objects of unknown classes": "    losses = {'label': criterion(output, y)}\n"
    + "    for callback in callbacks:\n        callback.after_loss(output, losses)\n"
    + "    loss = sum(losses.values())\n"
    + UPDATE,
}


@pytest.mark.parametrize("rest", KEPT.values(), ids=KEPT)
def test_its_gradient_reaches_the_model(rest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTWRAP_BACKEND", "eager")
    text = HEAD + rest
    result = rewrite_source(text)
    if result.status == "rewritten":
        before, after = run(text, Path(__file__)), run(result.text, Path(__file__))
        assert_same(before, after, tolerance=0)


DETACHED = {
    "is shown": LOSS + "    print(output.mean())\n" + UPDATE,
    "is kept, and the loss reads nothing of it": LOSS
    + "    tracker.record(output)\n"
    + UPDATE
    + "    print(tracker.total())\n",
    "is kept without its graph": LOSS
    + "    keep(output.detach().mean())\n    loss = loss + sum(TERMS)\n"
    + UPDATE,
    "is put among the terms behind the backward": LOSS + UPDATE + "    penalise(loss, output)\n",
}


@pytest.mark.parametrize("rest", DETACHED.values(), ids=DETACHED)
def test_what_becomes_no_term_is_detached(rest: str) -> None:
    result = rewrite_source(HEAD + rest)
    assert "return loss, output.detach()" in result.text
