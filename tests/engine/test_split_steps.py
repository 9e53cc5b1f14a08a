"""Forward and backward as methods of their own, joined where nothing else runs or replaces them."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source
from ortwrap.engine.result import Result

TRAINER = """\
import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.net = nn.Linear(4, 2)
        self.criterion = nn.MSELoss()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def set_input(self, data, target):
        self.data, self.target = data, target

    def forward(self):
        self.output = self.net(self.data)

    def backward(self):
        self.loss = self.criterion(self.output, self.target)
        self.loss.backward()

    def optimize_parameters(self):
        self.forward()
        self.optimizer.zero_grad()
        self.backward()
        self.optimizer.step()
"""


def _rewritten(folder: Path, old: str = "", new: str = "", **others: str) -> Result:
    assert old in TRAINER
    for name, text in others.items():
        (folder / f"{name}.py").write_text(text)
    return rewrite_beside(folder / "trainer.py", TRAINER.replace(old, new) if old else TRAINER)


def test_the_forward_runs_at_the_head_of_the_backward(tmp_path: Path) -> None:
    result = _rewritten(tmp_path)
    (step,) = result.steps
    assert step.status == "rewritten"
    assert TRAINER.splitlines()[step.line - 1] == "        self.loss.backward()"
    method = result.text[result.text.index("    def optimize_parameters") :]
    assert "self.forward()" not in method
    assert "        self.output = self.net(self.data)\n" in result.text


def test_a_comment_on_the_call_stays(tmp_path: Path) -> None:
    call = "        self.forward()\n"
    result = _rewritten(tmp_path, call, "        self.forward()  # predict\n")
    assert "        # predict\n        self.optimizer.zero_grad()\n" in result.text


def test_methods_that_fill_the_input_are_run_by_no_model(tmp_path: Path) -> None:
    old = "self.data, self.target = data, target"
    result = _rewritten(tmp_path, old, "self.data.copy_(data)\n        self.target.copy_(target)")
    assert result.status == "rewritten"


def test_another_file_may_run_the_whole_step(tmp_path: Path) -> None:
    main = "from trainer import Trainer\n\nmodel = Trainer()\nmodel.optimize_parameters()\n"
    assert _rewritten(tmp_path, main=f"{main}model.forward()\n").status == "rewritten"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("zero_grad()\n", "zero_grad()\n        self.note()\n", id="more between"),
        pytest.param(
            "self.net(self.data)", "self.net(self.data)\n        return 0", id="it returns"
        ),
        pytest.param("        self.backward()\n", "        self.backward()\n" * 2, id="run twice"),
        pytest.param("class Trainer:", "class Trainer(Unknown):", id="a base that is not found"),
        pytest.param("    def forward", "    @torch.no_grad()\n    def forward", id="decorated"),
        pytest.param(
            "        self.optimizer.step()\n",
            "        self.optimizer.step()\n\n\nclass Other(Trainer):\n"
            "    def forward(self):\n        self.output = self.net(self.data) * 2\n",
            id="derived here",
        ),
        pytest.param(
            "        self.optimizer.step()\n",
            "        self.optimizer.step()\n        self.hook = self.backward\n",
            id="handed on",
        ),
    ],
)
def test_methods_that_may_not_be_joined(tmp_path: Path, old: str, new: str) -> None:
    (step,) = _rewritten(tmp_path, old, new).steps
    assert step.code == "OW111"


@pytest.mark.parametrize(
    "main",
    [
        pytest.param(
            "from trainer import Trainer\n\n\nclass Louder(Trainer):\n"
            "    def forward(self):\n        self.output = self.net(self.data) * 2\n",
            id="derived",
        ),
        pytest.param(
            "import trainer\n\n\nclass Louder(\n    trainer.Trainer\n):\n    pass\n",
            id="derived by its module",
        ),
        pytest.param("from trainer import Trainer as Base\n", id="by another name"),
        pytest.param(
            "from trainer import Trainer\n\nmodel = Trainer()\nmodel.forward()\nmodel.backward()\n",
            id="both run by themselves",
        ),
    ],
)
def test_another_file_that_would_notice(tmp_path: Path, main: str) -> None:
    (step,) = _rewritten(tmp_path, main=main).steps
    assert step.code == "OW111"


def test_a_base_class_that_runs_the_backward(tmp_path: Path) -> None:
    base = "class Base:\n    def step(self):\n        self.forward()\n        self.backward()\n"
    result = _rewritten(
        tmp_path, "class Trainer:", "from base import Base\n\n\nclass Trainer(Base):", base=base
    )
    assert result.steps[0].code == "OW111"


def test_without_the_files_of_the_project_nothing_is_joined() -> None:
    assert rewrite_source(TRAINER).steps[0].code == "OW111"
