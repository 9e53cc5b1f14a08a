"""What keeps a step off ONNX Runtime is told beside its rewrite, and is what the runtime finds."""

from __future__ import annotations

import linecache
import textwrap
import warnings
from pathlib import Path
from typing import Any

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options
from ortwrap.files import rewrite_file

HEAD = """\
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

"""
NET = """\
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)
        self.calls = 0

    def forward(self, x):
{block}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.blocks = nn.ModuleList([Block() for _ in range(2)])

    def mixed(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, x):
        return self.mixed(self.first(x))


"""
STEP = """\
model = Net()
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
torch.manual_seed(1)
for step in range(3):
    x, y = torch.randn(6, 4), torch.randn(6, 4)
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
"""
PLAIN = """\
class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 4)

    def forward(self, x):
        return self.inner(x)


coin = random.random() > 0.5
"""
FACTORY = """\
def build(size):
    net = Net()
    return net.to("cpu")
"""
CALLED = """\
import torch
import torch.nn as nn
from nets import build


def train(model, loader, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()


def main(loader):
    model = build(4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    train(model, loader, optimizer)
"""
LIGHTNING = """\
class Learner(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = Net()

    def forward(self, x):
        return self.net(x).mean()

    def training_step(self, batch, index):
        return self.forward(batch)
"""
EAGER = {
    "a value": ("n = x.mean().item()\nreturn self.inner(x) * n", "`x.mean().item()`"),
    "an array": (
        "order = x.detach().numpy().argsort(0)\nreturn self.inner(x)[order[:, 0]]",
        "`x.detach().numpy()`",
    ),
    "a list": ("sizes = x[0].long().tolist()\nreturn self.inner(x) + sum(sizes)", "tolist()`"),
    "a branch": ("h = self.inner(x)\nif h.sum() > 0:\n    h = h * 2\nreturn h", "`h.sum() > 0`"),
    "a draw": ("return self.inner(x) * random.random()", "`random.random()`"),
    "a draw of NumPy": ("return self.inner(x) * np.random.rand()", "`np.random.rand()`"),
    "a count": ("self.calls += 1\nreturn self.inner(x)", "`self.calls += 1`"),
    "an inner gradient": (
        "h = self.inner(x)\n(g,) = torch.autograd.grad(h.sum(), x, create_graph=True)\n"
        "return h + g.detach()",
        "`torch.autograd.grad(h.sum(), x, create_graph=True)`",
    ),
    "complex numbers": (
        "return torch.fft.ifft(torch.fft.fft(self.inner(x))).real",
        "complex numbers",
    ),
    "sparse tensors": (
        "eye = torch.eye(x.size(0)).to_sparse()\nreturn torch.sparse.mm(eye, self.inner(x))",
        "`torch.sparse.mm(eye, self.inner(x))`",
    ),
    "in training": (
        "h = self.inner(x)\nif self.training:\n    h = h * random.random()\nreturn h",
        "`random.random()`",
    ),
}
ON_ORT = {
    "plain": "return F.relu(self.inner(x))",
    "sizes": "b = x.shape[0]\nif x.size(0) > 2:\n    x = x * 2\nreturn self.inner(x).view(b, -1)",
    "an option": "h = self.inner(x)\nif self.calls:\n    self.calls += 1\nreturn h",
    "in evaluation": "if not self.training:\n    print(x.mean().item())\nreturn self.inner(x)",
}


def script(block: str) -> str:
    return HEAD + NET.format(block=textwrap.indent(block, " " * 8)) + STEP


def told(text: str) -> str:
    (step,) = rewrite_source(text).steps
    assert step.status == "rewritten", step
    return step.advice


@pytest.mark.parametrize(("block", "expression"), EAGER.values(), ids=EAGER)
def test_what_no_graph_can_hold_is_told_with_its_place(block: str, expression: str) -> None:
    advice = told(script(block))
    assert advice.startswith("It will train eagerly")
    assert "`Block.forward`" in advice
    assert expression in advice
    assert "(line " in advice


@pytest.mark.parametrize("block", ON_ORT.values(), ids=ON_ORT)
def test_of_what_a_graph_holds_nothing_is_told(block: str) -> None:
    assert told(script(block)) == ""


@pytest.mark.parametrize("block", [block for block, _ in EAGER.values()], ids=EAGER)
def test_without_guards_it_is_refused(block: str) -> None:
    (step,) = rewrite_source(script(block), Options(standalone=True)).steps
    assert step.code == "OW313"
    assert "`Block.forward`" in step.message


def test_what_may_go_another_way_is_not_told() -> None:
    net = NET.format(block=textwrap.indent(EAGER["a draw"][0], " " * 8))
    chosen = HEAD + net + PLAIN + STEP.replace("Net()", "Net() if coin else {other}")
    assert told(chosen.format(other="Plain()")) == ""
    assert told(chosen.format(other="Net().eval()")) != ""


def test_models_of_other_files_are_looked_through(tmp_path: Path) -> None:
    block = textwrap.indent(EAGER["a value"][0], " " * 8)
    (tmp_path / "nets.py").write_text(HEAD + NET.format(block=block) + FACTORY)
    (tmp_path / "train.py").write_text(CALLED)
    outcome = rewrite_file(str(tmp_path / "train.py"), Options())
    (step,) = outcome.steps
    assert "`Block.forward` takes values out of a tensor, `x.mean().item()`" in step.advice
    assert step.advice.endswith("nets.py:14)")


def test_a_loss_that_is_returned_as_it_is_computed(tmp_path: Path) -> None:
    net = NET.format(block=textwrap.indent(EAGER["a count"][0], " " * 8))
    lightning = HEAD.replace("import random", "import lightning as L") + net + LIGHTNING
    assert "`Block.forward` counts its calls" in told(lightning)


@pytest.mark.ort
@pytest.mark.parametrize("block", [block for block, _ in EAGER.values()], ids=EAGER)
def test_the_runtime_runs_eagerly_what_is_told_to(block: str, tmp_path: Path) -> None:
    assert "ort" not in backends(script(block), tmp_path)


@pytest.mark.ort
@pytest.mark.parametrize("block", ON_ORT.values(), ids=ON_ORT)
def test_the_runtime_runs_the_others(block: str, tmp_path: Path) -> None:
    assert "ort" in backends(script(block), tmp_path)


def backends(text: str, folder: Path) -> set[str]:
    """What ran the signatures of a rewritten script."""
    patched, path = rewrite_source(text).text, str(folder / "train.py")
    linecache.cache[path] = (len(patched), None, patched.splitlines(keepends=True), path)
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": path}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(patched, path, "exec"), namespace)
    report = namespace["model_with_loss"].report()
    return {signature["backend"] for signature in report["signatures"]}
