"""Scripts that use ORTModule, DataParallel, DDP or an engine before anything is rewritten."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.engine.result import Step

_HEAD = """\
import torch
import torch.nn.functional as F
from torch import nn
"""
_STEP = """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in loader:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
"""


def _only_step(script: str) -> Step:
    (step,) = rewrite_source(script).steps
    return step


@pytest.mark.parametrize(
    "imported",
    [
        "from torch_ort import ORTModule",
        "from onnxruntime.training import ORTModule",
        "from onnxruntime.training.ortmodule import ORTModule",
    ],
)
def test_an_ortmodule_around_the_model_alone_is_upgraded_and_stays_for_evaluation(
    imported: str,
) -> None:
    script = f"{_HEAD}{imported}\n\nmodel = ORTModule(nn.Linear(4, 2))\n{_STEP}"
    result = rewrite_source(script)
    assert [step.status for step in result.steps] == ["rewritten"]
    assert "\nmodel = ORTModule(nn.Linear(4, 2))\n" in result.text
    assert "ort_module(ModuleWithLoss, model)" in result.text


@pytest.mark.parametrize(
    "loss",
    ["loss = step(x, y)", "loss, logits = step(x, y)", "loss = step(x, labels=y).loss"],
)
def test_an_ortmodule_that_returns_the_loss_is_left_alone(loss: str) -> None:
    script = (
        f"{_HEAD}from torch_ort import ORTModule\n\nmodel = nn.Linear(4, 2)\n"
        "step = ORTModule(ModelWithLoss(model))\n"
        f"for x, y in loader:\n    {loss}\n    loss.backward()\n"
    )
    result = rewrite_source(script)
    assert result.text == script
    assert [(step.status, step.message) for step in result.steps] == [
        ("skipped", "`ORTModule` computes this loss already")
    ]


def test_a_scaled_ortmodule_loss_is_left_alone() -> None:
    script = (
        f"{_HEAD}from torch_ort import ORTModule\n\nstep = ORTModule(ModelWithLoss())\n"
        "for x, y in loader:\n    loss = step(x, y)\n    (loss / 4).backward()\n"
    )
    assert _only_step(script).status == "skipped"


@pytest.mark.parametrize(
    ("made", "code"),
    {
        "at once": ("model = nn.DataParallel(nn.Linear(4, 2))", "OW311"),
        "moved": ("model = nn.DataParallel(nn.Linear(4, 2)).cuda()", "OW311"),
        "under the main guard": (
            "if __name__ == '__main__':\n    model = nn.DataParallel(nn.Linear(4, 2))",
            "OW311",
        ),
        # On one device the step is an ordinary one; on several the runtime stays with eager.
        "where there are several devices": (
            "model = nn.Linear(4, 2)\nif torch.cuda.device_count() > 1:\n"
            "    model = nn.DataParallel(model)",
            None,
        ),
        "distributed": ("model = nn.parallel.DistributedDataParallel(nn.Linear(4, 2))", None),
    }.values(),
)
def test_data_parallel_is_refused_where_it_is_certain(made: str, code: str | None) -> None:
    assert _only_step(f"{_HEAD}\n{made}\n{_STEP}").code == code


def test_data_parallel_is_seen_through_a_parameter() -> None:
    script = (
        f"{_HEAD}\n\ndef train(net, loader):\n    net.train()\n    for x, y in loader:\n"
        "        F.cross_entropy(net(x), y).backward()\n\n\n"
        "train(nn.DataParallel(nn.Linear(4, 2)), [])\n"
    )
    assert _only_step(script).code == "OW311"


@pytest.mark.parametrize("backward", ["engine.backward(loss)", "loss.backward()"])
def test_an_engine_keeps_its_own_forward_and_backward(backward: str) -> None:
    script = (
        f"import deepspeed\n{_HEAD}\nmodel = nn.Linear(4, 2)\n"
        "engine, *_ = deepspeed.initialize(model=model)\n"
        f"for x, y in loader:\n    loss = F.cross_entropy(engine(x), y)\n    {backward}\n"
    )
    assert _only_step(script).code == "OW312"


@pytest.mark.parametrize(
    "made",
    [
        "step = ORTModule(ModelWithLoss(model))\nengine, *_ = deepspeed.initialize(model=step)",
        "engine, *_ = deepspeed.initialize(model=ORTModule(ModelWithLoss(model)))",
    ],
)
def test_an_engine_that_drives_an_ortmodule_with_the_loss_is_left_alone(made: str) -> None:
    script = (
        f"import deepspeed\n{_HEAD}from torch_ort import ORTModule\n\nmodel = nn.Linear(4, 2)\n"
        f"{made}\nfor x, y in loader:\n    loss = engine(x, y)\n    engine.backward(loss)\n"
    )
    step = _only_step(script)
    assert (step.status, step.message) == ("skipped", "`ORTModule` computes this loss already")


def test_an_engine_around_an_ortmodule_without_the_loss_is_refused() -> None:
    script = (
        f"import deepspeed\n{_HEAD}from torch_ort import ORTModule\n\n"
        "engine, *_ = deepspeed.initialize(model=ORTModule(nn.Linear(4, 2)))\n"
        "for x, y in loader:\n    loss = F.cross_entropy(engine(x), y)\n"
        "    engine.backward(loss)\n"
    )
    assert _only_step(script).code == "OW312"
