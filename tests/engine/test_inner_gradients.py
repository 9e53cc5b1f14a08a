"""No gradient arrives at what comes out of a graph beside the loss, whoever asks for it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn
from strategy import Strategy, look, note, observe


class Scene(nn.Module):
    def __init__(self):
        super().__init__()
        self.means = nn.Linear(3, 2)

    def forward(self, x):
        means = self.means(x)
        return means.tanh(), {{"means": means, "count": len(x)}}


def keep(info, store):
    store.append(info)
    for value in info.values():
        value.retain_grad()


def keep_by_another(info):
    keep(store=[], info=info)


def keep_weights(info, scene):
    print(info["count"])
    scene.means.weight.register_hook(print)


scene = Scene()
strategy = Strategy()
for x in torch.randn(4, 5, 3):
    image, info = scene(x)
    loss = image.square().mean()
    {line}
    loss.backward()
    print(info["count"])
"""
STRATEGY = """\
class Strategy:
    def before_backward(self, step, info):
        self.seen = step
        info["means"].retain_grad()

    def after_forward(self, step, info):
        print(step, info["count"])


def look(info):
    _keep(info["means"])


def _keep(means):
    means.register_hook(lambda gradient: print(gradient.norm()))


def note(info):
    print(info["count"])


def observe(info, scene):
    note(info)
    scene.means.weight.register_hook(print)
"""
ASKS_HERE = [
    'info["means"].retain_grad()',
    'info["means"].register_hook(print)',
    'means = info["means"]; means.retain_grad()',
    "keep(info, [])",
    "keep_by_another(info)",
]
ASKS_ELSEWHERE = ["look(info)", "strategy.before_backward(0, info=info)"]
ASKS_NOTHING = [
    "print(info)",
    "loss.register_hook(print)",
    "keep_weights(info, scene)",
    "note(info)",
    "observe(info, scene)",
    "strategy.after_forward(0, info=info)",
]


@pytest.mark.parametrize("line", ASKS_HERE)
def test_a_step_that_asks_is_refused(line: str) -> None:
    (step,) = rewrite_source(SCRIPT.format(line=line)).steps
    assert step.code == "OW302"


@pytest.mark.parametrize("line", ASKS_ELSEWHERE)
def test_a_function_of_another_file_that_asks_is_seen(tmp_path: Path, line: str) -> None:
    script = SCRIPT.format(line=line)
    (alone,) = rewrite_source(script).steps
    assert alone.status == "rewritten"
    (tmp_path / "strategy.py").write_text(dedent(STRATEGY))
    (step,) = rewrite_beside(tmp_path / "train.py", script).steps
    assert step.code == "OW302"
    assert "`info`" in step.message


@pytest.mark.parametrize("line", ASKS_NOTHING)
def test_what_asks_for_none_of_the_step_is_let_through(tmp_path: Path, line: str) -> None:
    (tmp_path / "strategy.py").write_text(dedent(STRATEGY))
    (step,) = rewrite_beside(tmp_path / "train.py", SCRIPT.format(line=line)).steps
    assert step.status == "rewritten", step.message
