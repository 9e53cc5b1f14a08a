"""`retain_graph=True`: which modules are known to keep nothing of their runs for the next one."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source
from ortwrap.engine.options import Options

SCRIPT = """\
import torch
from torch import nn
{imports}

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        {built}

    def forward(self, x):
        {run}
        return self.linear(x)


class Net(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body
        self.own = Block()

    def forward(self, x):
        return self.own(self.body(x))


def make(width):
    return {made}


model = make(4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x in batches:
    loss = model(x).pow(2).mean()
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    optimizer.step()
"""
PLAIN = {
    "imports": "",
    "built": "self.width = 4",
    "run": "x = x + 1",
    "made": "Net(nn.Sequential(Block(), nn.Linear(width, 4)))",
}


def script(**parts: str) -> str:
    return SCRIPT.format(**{**PLAIN, **parts})


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({}, id="own classes in each other"),
        pytest.param({"made": "Net(Block()).to('cpu')"}, id="moved"),
        pytest.param({"made": "torch.compile(Net(Block()))"}, id="compiled"),
        pytest.param(
            {"imports": "from torchvision.models import resnet18\n", "made": "Net(resnet18())"},
            id="a model of a known library",
        ),
    ],
)
def test_a_graph_that_nothing_keeps_is_spent(parts: dict[str, str]) -> None:
    (step,) = rewrite_source(script(**parts)).steps
    assert step.status == "rewritten", step.message


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"run": "self.last = x"}, id="an attribute of a part"),
        pytest.param({"run": "self.seen.append(x)", "built": "self.seen = []"}, id="a list"),
        pytest.param({"run": "global last; last = x"}, id="a global"),
        pytest.param(
            {"run": "x = self.note(x)\n\n    def note(self, x):\n        self.last = x"},
            id="by a method",
        ),
    ],
)
def test_a_graph_that_something_keeps_is_refused(parts: dict[str, str]) -> None:
    (step,) = rewrite_source(script(**parts)).steps
    assert step.code == "OW201"


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(
            {
                "imports": "\n\ndef wrapped(backbone):\n    return Net(backbone)\n",
                "made": "wrapped(other)",
            },
            id="a part that nobody knows",
        ),
        pytest.param({"made": "Net(Block()) if width else other"}, id="perhaps another"),
        pytest.param(
            {"imports": "from missing import Body\n", "made": "Net(Body())"}, id="a missing class"
        ),
    ],
)
def test_of_a_part_that_nobody_knows_the_runtime_finds_out(parts: dict[str, str]) -> None:
    (guarded,) = rewrite_source(script(**parts)).steps
    (alone,) = rewrite_source(script(**parts), Options(standalone=True)).steps
    assert (guarded.status, alone.code) == ("rewritten", "OW313")


BASE = """\
from torch import nn


class Body(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        {run}
        return self.linear(x)
"""


@pytest.mark.parametrize(("run", "code"), [("x = x + 1", None), ("self.last = x", "OW201")])
@pytest.mark.parametrize("made", ["Net(Body())", "Derived()"])
def test_a_class_of_another_file_is_looked_through(
    tmp_path: Path, run: str, code: str | None, made: str
) -> None:
    imports = "from body import Body\n\n\nclass Derived(Body):\n    pass\n"
    (tmp_path / "body.py").write_text(BASE.format(run=run))
    (step,) = rewrite_beside(tmp_path / "train.py", script(imports=imports, made=made)).steps
    assert step.code == code
