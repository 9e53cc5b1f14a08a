"""Modules that other objects have: which attributes count, and that each step asks for them."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n\n"
TRAIN = (
    "def train(runner, batches):\n    for x, y in batches:\n        out = runner.model(x)\n"
    "        loss = F.mse_loss(out, y)\n        loss.backward()\n        runner.optimizer.step()\n"
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(TRAIN, "its name says so", id="its name"),
        pytest.param(
            TRAIN.replace(".model", ".Q") + "    runner.Q.eval()\n",
            "`.eval()` is called on it",
            id="what it is asked",
        ),
        pytest.param(
            TRAIN.replace(".model", ".Q").replace("    for", "    runner.Q = nn.Tanh()\n    for"),
            "is built from `torch.nn.Tanh`",
            id="what the script gives the object",
        ),
        pytest.param(
            TRAIN.replace("runner.model(x)", "runner.parts.model.loss(x)"),
            "its name says so",
            id="a part of a part",
        ),
        pytest.param(
            TRAIN.replace("    for", "    net = runner.model\n    for").replace(
                "runner.model(x)", "net(x)"
            ),
            "its name says so",
            id="a part under a name of its own",
        ),
    ],
)
def test_an_attribute_that_is_run_is_a_module_by(text: str, reason: str) -> None:
    (step,) = rewrite_source(HEAD + text).steps
    assert step.status == "rewritten"
    assert reason in step.evidence[0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(
            TRAIN.replace(".model(x)", ".get_model(x)"), "OW101", id="a method by its verb"
        ),
        pytest.param(
            TRAIN.replace(".model(x)", ".train_model(x)"), "OW101", id="it trains a model"
        ),
        pytest.param(TRAIN.replace(".model(x)", ".run(x)"), "OW101", id="it may be anything"),
        pytest.param(TRAIN.replace(".model(x)", ".model + x"), "OW101", id="it is not run"),
        pytest.param(
            TRAIN.replace("    for", "    runner.model = torch.ones\n    for"),
            "OW101",
            id="it is given a function",
        ),
        pytest.param(
            TRAIN.replace("    for", "    runner.model = nn.DataParallel(nn.Tanh())\n    for"),
            "OW311",
            id="it splits a batch over devices",
        ),
        pytest.param(
            TRAIN.replace("        loss =", "        runner.model = nn.Tanh()\n        loss ="),
            "OW203",
            id="it is replaced before the loss",
        ),
        pytest.param(
            TRAIN.replace("        loss =", "        runner.calibrate()\n        loss ="),
            "OW203",
            id="its object may use it before the loss",
        ),
        pytest.param(
            TRAIN.replace("        loss =", "        y = y * float(out.mean())\n        loss ="),
            "OW301",
            id="a number is taken off what it gave",
        ),
    ],
)
def test_refused(text: str, code: str) -> None:
    assert [step.code for step in rewrite_source(HEAD + text).steps] == [code]


IN_FRONT = "        model_with_loss = ort_module(ModuleWithLoss, runner.model)\n        loss"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TRAIN, id="as it is"),
        pytest.param(TRAIN + "        runner.next_task()\n", id="a method of its object"),
        pytest.param(TRAIN + "        runner.model = nn.Tanh()\n", id="it is replaced"),
        pytest.param(TRAIN + "        for each in hooks:\n            each()\n", id="a callback"),
        pytest.param(TRAIN + "        runner = runner.next\n", id="its object changes"),
    ],
)
def test_the_object_is_asked_for_its_module_at_each_step(text: str) -> None:
    assert IN_FRONT in rewrite_source(HEAD + text).text


def test_a_helper_runs_a_module_of_an_object_that_it_is_not_given() -> None:
    text = (
        "class Trainer:\n    def __init__(self, agent):\n        self.agent = agent\n\n"
        "    def values(self, x):\n        return 2 * self.agent.policy_net(x)\n\n"
        "    def train(self, x, y):\n        loss = F.mse_loss(self.values(x), y)\n"
        "        loss.backward()\n"
    )
    result = rewrite_source(HEAD + text)
    assert "ModuleWithLoss, self.agent.policy_net, self.values\n" in result.text


PART = (
    "model = nn.ModuleDict()\n{part} = model.{part}\nfor x, y in []:\n"
    "    loss = F.mse_loss({part}(x), y)\n    loss.backward()\n"
)


def test_a_part_of_a_module_is_one_under_its_own_name() -> None:
    (step,) = rewrite_source(HEAD + PART.format(part="head")).steps
    assert step.status == "rewritten"
    assert "is `model.head`, a part of a module" in step.evidence[0]


@pytest.mark.parametrize("part", ["encode", "forward", "compute_logits", "loss_of", "get_head"])
def test_a_method_of_a_module_is_no_part_of_it(part: str) -> None:
    (step,) = rewrite_source(HEAD + PART.format(part=part)).steps
    assert step.status == "refused"


def test_a_part_of_what_shards_its_parameters_is_none() -> None:
    engine = "import deepspeed\n" + HEAD + PART.format(part="head")
    (step,) = rewrite_source(engine.replace("nn.ModuleDict()", "deepspeed.initialize()")).steps
    assert step.status == "refused"
