"""Steps that are run to be looked at are left alone; what trains is not, wherever it stands."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = """\
import unittest

import torch
from torch import nn
from torch.nn import functional as F

model = nn.Linear(4, 2)
x, y = torch.ones(3, 4), torch.zeros(3, 2)


"""
ONCE = "loss = F.mse_loss(model(x), y)\n    loss.backward()\n"
CASES = """\
class TestGradients({base}):
    def setUp(self):
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step(self):
        loss = F.mse_loss(model(x), y)
        loss.backward()
        self.optimizer.step()

    def test_step(self):
        {around}self.step()
        self.assertTrue(torch.isfinite(model.weight.grad).all())
"""
MAIN = """\
{function}:
    {around}{loss}.backward()
    {after}
"""
SALIENCY = """\
def saliency(model, x):
    x.requires_grad_()
    {around}out = model(x)
    loss = {loss}
    loss.backward()
    {after}
    return x.grad.abs()
"""
GUARD = 'if __name__ == "__main__"'

TESTS = [
    (
        "a test that asserts",
        f"def test_it():\n    {ONCE}    assert model.weight.grad is not None\n",
    ),
    (
        "a test that steps once",
        "def test_it():\n    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        f"    {ONCE}    optimizer.step()\n    assert model.weight.isfinite().all()\n",
    ),
    (
        "a test that is run by hand",
        f"def test_it():\n    {ONCE}    assert model.weight.grad is not None\n\n\ntest_it()\n",
    ),
    ("a helper of a test case", CASES.format(base="unittest.TestCase", around="")),
    (
        "a model of each kind, once",
        "def test_all():\n    for size in (2, 3):\n        net = nn.Linear(4, size)\n"
        "        loss = net(x).mean()\n        loss.backward()\n"
        "        assert net.weight.grad is not None\n",
    ),
    (
        "a self-test",
        MAIN.format(function=GUARD, around="", loss="model(x).mean()", after="print('OK')"),
    ),
    (
        "a self-test with random numbers",
        MAIN.format(
            function=GUARD,
            around="x, labels = torch.rand(8, 4), torch.randint(2, (8,)).long(); ",
            loss="F.cross_entropy(model(x), labels)",
            after="optimizer.step()",
        ),
    ),
    (
        "a self-test again and again",
        MAIN.format(
            function=GUARD,
            around="for i in range(9): ",
            loss="F.mse_loss(model(x), y)",
            after="print('OK')",
        ),
    ),
    (
        "a map of what the model looks at",
        SALIENCY.format(around="", loss="out[0, 1]", after=""),
    ),
    (
        "a gradient by the mean",
        SALIENCY.format(around="", loss="out.mean().sum()", after="").replace(
            "x.requires_grad_()", "x = torch.tensor(x, requires_grad=True)"
        ),
    ),
    (
        "a self-test in a function",
        MAIN.format(function="def main()", around="", loss="model(x).sum()", after="print('OK')")
        + f"\n\n{GUARD}:\n    main()\n",
    ),
]

TRAINED = [
    ("nothing is asserted", f"def test_it():\n    {ONCE}"),
    (
        "a function runs it",
        f"def test_it():\n    {ONCE}    assert y.any()\n\n\ndef adapt():\n    test_it()\n",
    ),
    (
        "a test trains in a loop",
        CASES.format(base="unittest.TestCase", around="for i in range(9): "),
    ),
    (
        "a trainer has tests of its own",
        CASES.replace("TestGradients", "Trainer").format(base="Base", around=""),
    ),
    (
        "the script trains",
        MAIN.format(
            function=GUARD,
            around="x = load(); ",
            loss="model(x).mean()",
            after="optimizer.step()",
        ),
    ),
    (
        "the script goes on",
        MAIN.format(
            function=GUARD,
            around="for i in range(3): ",
            loss="model(x).mean()",
            after="descend(model)",
        ),
    ),
    (
        "the script hands on its model",
        MAIN.format(
            function=GUARD,
            around="for i in range(3):\n        ",
            loss="F.mse_loss(model(x), y)",
            after="    move(model)",
        ),
    ),
    (
        "weights are moved by hand",
        MAIN.format(
            function=GUARD,
            around="for i in range(3):\n        ",
            loss="F.mse_loss(model(x), y)",
            after="    model.weight.data -= model.weight.grad",
        ),
    ),
    ("an attack", SALIENCY.format(around="", loss="F.cross_entropy(out, y)", after="")),
    ("inputs that train", SALIENCY.format(around="", loss="out.mean()", after="optimizer.step()")),
    (
        "there is a loss",
        MAIN.format(
            function=GUARD,
            around="x, y = next(batches); ",
            loss="F.mse_loss(model(x), y)",
            after="print('OK')",
        ),
    ),
    (
        "the loss is written out",
        MAIN.format(
            function=GUARD,
            around="x = load(); ",
            loss="(model(x) - y).abs().mean()",
            after="pass",
        ),
    ),
    (
        "others may call the function",
        MAIN.format(function="def attack(net)", around="", loss="model(x).mean()", after="pass")
        + f"\n\n{GUARD}:\n    attack(model)\n",
    ),
]


def _codes(text: str) -> list[str | None]:
    return [step.code for step in rewrite_source(text).steps]


@pytest.mark.parametrize("text", [pytest.param(text, id=why) for why, text in TESTS])
def test_a_test_is_left_as_it_is(text: str) -> None:
    assert _codes(HEAD + text) == ["OW116"]


@pytest.mark.parametrize("text", [pytest.param(text, id=why) for why, text in TRAINED])
def test_what_trains_is_rewritten(text: str) -> None:
    assert _codes(HEAD + text) == [None]


@pytest.mark.parametrize("imports", ['pytest.importorskip("torch")', 'import_module("torch")'])
def test_torch_is_imported_by_a_call_too(imports: str) -> None:
    text = (
        f"from importlib import import_module\n\nimport pytest\n\ntorch = {imports}\n\n\n"
        "def test_it():\n    model = torch.nn.Linear(4, 2)\n"
        "    loss = model(torch.ones(3, 4)).mean()\n    loss.backward()\n"
        "    assert model.weight.grad is not None\n"
    )
    (step,) = rewrite_source(text).steps
    assert step.code == "OW116"
