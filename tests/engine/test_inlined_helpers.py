"""A helper that takes values of inputs is taken apart, unless its statements could tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_run import assert_same, run

from ortwrap.engine import rewrite_source
from ortwrap.engine.inlining.calls import inlined_calls, with_calls_inlined
from ortwrap.engine.options import Options
from ortwrap.engine.pipeline import Rewrite
from ortwrap.engine.result import Result
from ortwrap.engine.text.tree import SourceTree

SCRIPT = """\
import contextlib
import functools
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
scale = 0.5
model = nn.Linear(4, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


{helper}


def train(x, y, lengths, weights, step, flag=True):
    kept = 0.1
    for step in range(step, step + 3):
        out = model(x)
        optimizer.zero_grad()
        {call}
        loss.backward()
        optimizer.step()
        print(step, kept, out.sum().item(), loss.item())


train(torch.randn(6, 4), torch.randn(6, 4), torch.tensor([4, 3]), {{"l2": 0.1}}, 1)
"""
HELPER = """\
def cut_loss(out, y, lengths):
    y = y[:, : lengths.max().item()]
    return F.mse_loss(out[:, : y.size(1)], y)
"""
CALL = "loss = cut_loss(out, y, lengths)"
PATH = Path(__file__)


def rewritten(helper: str = HELPER, call: str = CALL) -> tuple[str, Result]:
    text = SCRIPT.format(helper=helper, call=call)
    return text, rewrite_source(text)


FORMS = {
    "the value of an assignment": (HELPER, CALL),
    "a part of what is assigned": (HELPER, "loss = 2 * cut_loss(out, y, lengths) / (step + 1)"),
    "a sum behind a product": (
        "def cut_loss(out, y, n):\n    n = int(n.max())\n    return out[:, :n].mean() + y.mean()\n",
        "loss = 3 * cut_loss(out, y, lengths)",
    ),
    "keywords and a default": (
        "def cut_loss(out, y, *, lengths, power=-2, mean=True):\n"
        "    n = lengths.max().item()\n"
        "    return F.mse_loss(out[:, :n], y[:, :n]) * 2**power + float(mean)\n",
        "loss = cut_loss(y=y, lengths=lengths, out=out)",
    ),
    "names that go round": (
        "def cut_loss(y, out, n):\n"
        "    y = y[:, : n.max().item()]\n"
        "    out = out[:, : y.size(1)]\n"
        "    return F.mse_loss(y, out)\n",
        "loss = cut_loss(out, y, lengths)",
    ),
    "the one element of a tuple": (
        "def cut_loss(out, y, lengths):\n"
        "    n = lengths.max().item()\n"
        "    loss = F.mse_loss(out[:, :n], y[:, :n])\n"
        "    return loss.unsqueeze(0)\n",
        "(loss,) = cut_loss(out, y, lengths)",
    ),
    "names that mean something else around": (
        "def cut_loss(out, y, lengths):\n"
        "    kept = lengths.max().item()\n"
        "    step = math.sqrt(kept)\n"
        "    return (out[:, :kept] - y[:, :kept]).pow(2).mean() / step\n",
        CALL,
    ),
    "a tuple, a part of which the step has already": (
        "def cut_loss(out, y, lengths):\n"
        "    n = lengths.max().item()\n"
        "    out = out[:, :n]\n"
        "    return F.mse_loss(out, y[:, :n]), out\n",
        "loss, out = cut_loss(out, y, lengths)",
    ),
    "an item and a number of a dict": (
        "def cut_loss(out, y, n, l2, step):\n"
        "    weight = l2 * np.exp(-step)\n"
        "    return F.mse_loss(out, y) + weight * out[:, : n.max().item()].pow(2).mean()\n",
        'loss = cut_loss(out, y, lengths, weights["l2"], step)',
    ),
    "an argument that is drawn": (
        "def cut_loss(out, noise, n, l2):\n"
        "    noise = noise[:, : n.max().item()]\n"
        "    return F.mse_loss(out[:, : noise.size(1)], noise) * l2\n",
        'loss = cut_loss(out, torch.rand(6, 4), lengths, weights["l2"])',
    ),
    "a helper that changes what it is given": (
        "def cut_loss(out, weights, l2, n):\n"
        "    n = n.max().item()\n"
        '    weights["l2"] = l2 + 1\n'
        "    return out[:, :n].pow(2).mean() * l2\n",
        'loss = cut_loss(out, weights, weights["l2"], lengths)',
    ),
    "a number that is shown on the way": (
        "def cut_loss(out, y):\n"
        "    size = out.abs().mean().item()\n"
        "    print(size)\n"
        "    return F.mse_loss(out, y), size\n",
        "loss, size = cut_loss(out, y)",
    ),
    "a number that only adds to the loss": (
        "def cut_loss(out, y):\n"
        "    loss = F.mse_loss(out, y)\n"
        "    loss += out.std().item()\n"
        "    return loss\n",
        "loss = cut_loss(out, y)",
    ),
    "some of what it returns has its name": (
        "def cut_loss(out, y, lengths):\n"
        "    size = lengths.max().item()\n"
        "    y = y[:, :size]\n"
        "    return (F.mse_loss(out[:, :size], y), size, (y, size))\n",
        "loss, size, (y_cut, size_cut) = cut_loss(out, y, lengths)",
    ),
    "two of its values go to one name": (
        "def cut_loss(out, y, lengths):\n"
        "    size = lengths.max().item()\n"
        "    return F.mse_loss(out[:, :size], y[:, :size]), size + 1, size\n",
        "loss, size, size = cut_loss(out, y, lengths)",
    ),
    "a branch on an option": (
        "def cut_loss(out, y, lengths, flag):\n"
        "    n = lengths.max().item()\n"
        "    if flag:\n"
        "        y = y[:, :n]\n"
        "        out = out[:, :n]\n"
        "    return F.mse_loss(out, y)\n",
        "loss = cut_loss(out, y, lengths, flag)",
    ),
}
# The statements that take the place of the call are right, though they cannot all move.
HELD_BACK = {
    "an argument that changes what the one before it read": (
        "def cut_loss(out, l2, popped, n):\n"
        "    return out[:, : n.max().item()].pow(2).mean() * l2 + popped\n",
        'loss = cut_loss(out, weights["l2"], weights.update(l2=0.9 + step) or 1.0, lengths)',
    ),
    "a value of the model": (
        HELPER.replace("y[:, : len", "y[:, : out.size(1) - 1 + 0 * len"),
        CALL,
    ),
    "a global that the helper moves on": (
        "def move_on():\n    global scale\n    scale += 1\n    return scale\n\n\n"
        "def cut_loss(out, factor, n):\n"
        "    return move_on() * factor * out[:, : n.max().item()].mean()\n",
        "loss = cut_loss(out, scale, lengths)",
    ),
    "the elements of a tensor of its name": (
        "def cut_loss(out, y, lengths):\n"
        "    n = lengths.max().item()\n"
        "    loss = (out[:, :n] - y[:, :n]).mean(dim=(0, 1), keepdim=True)[0]\n"
        "    return loss\n",
        "(loss,) = cut_loss(out, y, lengths)",
    ),
    "a global beside the call that the helper moves on": (
        "def move_on():\n    global scale\n    scale += 1\n    return scale\n\n\n"
        "def cut_loss(out, n):\n"
        "    return move_on() * out[:, : n.max().item()].mean()\n",
        "loss = cut_loss(out, lengths) * scale",
    ),
    "inside of a scope": (
        HELPER,
        "with torch.enable_grad():\n            loss = cut_loss(out, y, lengths)",
    ),
    "inside of a scope that goes on after a failure": (
        "def cut_loss(out, y, lengths):\n"
        "    kept = lengths.max().item()\n"
        "    out = out[:, :kept]\n"
        "    assert kept < 4\n"
        "    return out.mean(), kept\n",
        "loss = model(x).sum()\n        with contextlib.suppress(AssertionError):\n"
        "            loss, kept = cut_loss(out, y, lengths)",
    ),
}


@pytest.mark.parametrize(
    ("helper", "call"), [*FORMS.values(), *HELD_BACK.values()], ids=[*FORMS, *HELD_BACK]
)
def test_the_statements_do_what_the_call_did(helper: str, call: str) -> None:
    text = SCRIPT.format(helper=helper, call=call)
    first = Rewrite(SourceTree(text), Options())
    (step,) = first.run().steps
    (found,) = first.sliced(step.line)
    inlined = with_calls_inlined(first.tree, inlined_calls(*found))
    assert "cut_loss(" not in inlined.text.partition("def train")[2]
    before, after = run(text, PATH), run(inlined.text, PATH)
    assert_same(before, after, tolerance=0)
    assert after.printed == before.printed


@pytest.mark.parametrize(("helper", "call"), FORMS.values(), ids=FORMS)
def test_it_trains_alike(helper: str, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, result = rewritten(helper, call)
    assert [step.message for step in result.steps] == [
        "forward and loss moved into `ModuleWithLoss`, with the statements of `cut_loss`"
    ]
    monkeypatch.setenv("ORTWRAP_BACKEND", "eager")
    before, after = run(text, PATH), run(result.text, PATH)
    assert_same(before, after, tolerance=0)
    assert after.printed == before.printed
    assert helper in result.text


STAYS = {
    "what it takes is computed by the model": (HELPER.replace("lengths.max", "out.max"), CALL),
    "more than one return": (
        HELPER.replace("    return", "    if not y.size(1):\n        return out.sum()\n    return"),
        CALL,
    ),
    "a decorator": ("@functools.lru_cache\n" + HELPER, CALL),
    "starred arguments": (HELPER, "loss = cut_loss(*(out, y), lengths)"),
    "a starred parameter": (HELPER.replace("lengths)", "lengths, *rest)"), CALL),
    "a default that is kept from call to call": (
        HELPER.replace("lengths)", "lengths, seen=[])"),
        CALL,
    ),
    "what it reads goes by another name there": (
        HELPER.replace("y)\n", "y) * scale\n"),
        "scale = 2.0\n        loss = cut_loss(out, y, lengths)",
    ),
    "what it calls is another function there": (
        HELPER.replace("F.mse_loss", "term")
        + "\n\ndef term(a, b):\n    return (a - b).abs().mean()\n",
        "term = F.mse_loss\n        loss = cut_loss(out, y, lengths)",
    ),
    "the call may be left out": (
        HELPER,
        "loss = cut_loss(out, y, lengths) if flag else out.mean()",
    ),
    "something runs before it": (HELPER, "loss = torch.rand(1).mean() + cut_loss(out, y, lengths)"),
    "it shares its line": (HELPER, "kept = 0.2; loss = cut_loss(out, y, lengths)"),
    "a comment between its arguments": (
        HELPER,
        "loss = cut_loss(out, y,  # targets\n                        lengths)",
    ),
    "a local that some path leaves unbound": (
        HELPER.replace("    return", "    if y.size(1) > 9:\n        w = 2.0\n    return w *"),
        CALL,
    ),
    "a name that is read later": (
        "def cut_loss(out, y, lengths):\n"
        "    n = lengths.max().item()\n"
        "    cut = lambda: y[:, :n]\n"
        "    y = y * 2\n"
        "    return F.mse_loss(out[:, :n], cut())\n",
        CALL,
    ),
    "a comprehension that would take an argument for its own": (
        "def cut_loss(out, y, n):\n"
        "    n = n.max().item()\n"
        "    terms = [(out[lengths] - y[lengths, :n]).mean() for lengths in (0, 1)]\n"
        "    return torch.stack(terms).sum()\n",
        CALL,
    ),
    "who calls it asks for its names": (HELPER, CALL + "\n        print(sorted(locals()))"),
}


@pytest.mark.parametrize(("helper", "call"), STAYS.values(), ids=STAYS)
def test_it_stays_in_one_piece(helper: str, call: str) -> None:
    text, result = rewritten(helper, call)
    assert result.text == text
    assert [step.status for step in result.steps] == ["refused"]
    assert {step.code for step in result.steps} <= {"OW301", "OW304", "OW305"}
