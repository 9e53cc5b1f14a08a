"""Names of PyTorch that a star import brings from another file of the project."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

COMMON = "import torch as th\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
SCRIPT = """\
from common import *

model = nn.Linear(4, 2)
optimizer = th.optim.SGD(model.parameters(), lr=0.1)


def train(batches):
    for a, b, y in batches:
        out = model(a)
        both = th.cat([b, b])
        loss = F.cross_entropy(out, y) + both.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(both.sum().item())
"""


@pytest.mark.parametrize("setting", ["", 'device = th.device("cpu")\n'])
def test_they_are_pytorchs(tmp_path: Path, setting: str) -> None:
    (tmp_path / "common.py").write_text(COMMON)
    result = rewrite_beside(tmp_path / "train.py", SCRIPT.replace("\nmodel", f"\n{setting}model"))
    assert [step.status for step in result.steps] == ["rewritten"], result.steps
    assert "both = th.cat([b, b])" in result.text


@pytest.mark.parametrize(
    ("common", "imports"),
    [
        pytest.param(COMMON.replace("import torch as th", "th = object()"), "", id="a variable"),
        pytest.param(COMMON, "from missing import *\n", id="a file that may bind them anew"),
        pytest.param(COMMON + "__all__ = ['nn', 'F']\n", "", id="not offered"),
        pytest.param(COMMON + "import numpy as th\n", "", id="bound twice"),
    ],
)
def test_what_may_be_something_else_is_not(tmp_path: Path, common: str, imports: str) -> None:
    (tmp_path / "common.py").write_text(common)
    result = rewrite_beside(tmp_path / "train.py", SCRIPT.replace("\n\n", f"\n{imports}\n", 1))
    assert [step.status for step in result.steps] == ["refused"], result.text
