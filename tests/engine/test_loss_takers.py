"""An object or a function that runs backward is given the loss, whatever it is called."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import lightning as L
import torch
from torch import autograd
from torch.nn import functional as F

{before}

def train(model, aux, batches, optimizer, it: {kind}):
    for x, y in batches:
        out = model(x)
        loss = F.mse_loss(out, y)
        {step}
        optimizer.step()
"""

TAKES_LOSS = {
    "an object of no known class": ("", "object", "it.backward(loss)"),
    "by keyword": ("", "object", "it.backward(loss=loss)"),
    "by its annotation": ("", "L.Fabric", "it.backward(loss * 2)"),
    "a method with a name": (
        "run = L.Fabric()\nbackward = run.backward\n",
        "object",
        "backward(loss)",
    ),
    "the function of torch": (
        "from torch.autograd import backward\n",
        "object",
        "backward(loss)",
    ),
    "the same, by keyword": ("", "object", "autograd.backward(tensors=[loss])"),
    "a scaler": ("", "object", "it.scaler(loss, optimizer, clip_grad=1.0)"),
}
IS_NONE = {
    "a scaler of data": "scaler(loss, y)",
    "a method of another name": "it.go_back(loss)",
}


@pytest.mark.parametrize(("before", "kind", "step"), TAKES_LOSS.values(), ids=TAKES_LOSS)
def test_it_is_given_the_loss(before: str, kind: str, step: str) -> None:
    result = rewrite_source(SCRIPT.format(before=before, kind=kind, step=step))
    assert [each.status for each in result.steps] == ["rewritten"]
    assert "= model_with_loss(x, y)\n" in result.text or "(model_with_loss(x, y))" in result.text


@pytest.mark.parametrize("step", IS_NONE.values(), ids=IS_NONE)
def test_it_is_none(step: str) -> None:
    assert not rewrite_source(SCRIPT.format(before="", kind="object", step=step)).steps


@pytest.mark.parametrize(
    "step", ["out.backward(aux(x))", "gradient = aux(x)\n        out.backward(gradient)"]
)
def test_a_tensor_of_the_step_is_given_a_gradient(step: str) -> None:
    result = rewrite_source(SCRIPT.format(before="", kind="object", step=step))
    assert "F.mse_loss(out, y)" in result.text
    assert "aux_with_loss" not in result.text
    assert "self.aux" not in result.text


def test_the_instance_of_a_class_that_derives_from_fabric_takes_it() -> None:
    script = """\
import lightning as L
import torch
from torch import nn


class Run(L.Fabric):
    def go(self, batches):
        net = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for x in batches:
            self.backward(net(x).sum())
            optimizer.step()
"""
    assert "self.backward(net_with_loss(x))" in rewrite_source(script).text
