"""What is called and saved is a module, unless something speaks against it."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = "import torch\nimport torch.nn.functional as F\n\n\n"
TRAIN = (
    "def train(D, batches):\n    for x, y in batches:\n        loss = F.mse_loss(D(x), y)\n"
    "        loss.backward()\n    torch.save(D.state_dict(), 'd.pt')\n"
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TRAIN, id="it is saved"),
        pytest.param(TRAIN.replace("D(x)", "D.forward(x)"), id="its forward is called"),
        pytest.param(TRAIN.replace("F.mse_loss(D(x), y)", "D.loss(x, y)"), id="its loss is asked"),
        pytest.param(
            TRAIN.replace("torch.save(D.state_dict(), 'd.pt')", "D.zero_grad()"),
            id="its gradients are cleared",
        ),
        pytest.param(
            "class Trainer:\n    def __init__(self, D):\n        self.D = D\n\n"
            "    def train(self, x, y):\n        loss = F.mse_loss(self.D(x), y)\n"
            "        loss.backward()\n\n"
            "    def load(self, state):\n        self.D.load_state_dict(state)\n",
            id="another method loads it",
        ),
    ],
)
def test_what_is_called_and_saved_is_a_module(text: str) -> None:
    (step,) = rewrite_source(HEAD + text).steps
    assert step.status == "rewritten"
    assert "it is called, and so is its `." in step.evidence[0]


AGENT = (
    "class Agent:\n    def __call__(self, x):\n        return x * self.scale\n\n"
    "    def state_dict(self):\n        return {}\n\n\n"
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TRAIN.replace("D.state_dict()", "D"), id="it is called and no more"),
        pytest.param(TRAIN + "    D.step()\n", id="it is stepped as an optimizer is"),
        pytest.param(TRAIN.replace("D", "D_scheduler"), id="its name is that of a schedule"),
        pytest.param(TRAIN.replace("D(x)", "D(x, optimizer)"), id="it is given an optimizer"),
        pytest.param(TRAIN.replace("D(x), y", "x, y * D()"), id="it is given nothing"),
        pytest.param(TRAIN.replace("D(x), y", "x, y * D(step)"), id="it is given a count"),
        pytest.param(TRAIN + "    D(x)\n", id="it is called for what it does"),
        pytest.param(AGENT + TRAIN + "\n\ntrain(Agent(), [])\n", id="a caller passes an agent"),
        pytest.param(
            AGENT + TRAIN + "\n\nagent = Agent()\ntrain(agent, [])\n",
            id="a caller passes an agent by its name",
        ),
        pytest.param(
            AGENT + TRAIN + "\n\ndef compute(x):\n    return x\n\n\ntrain(compute, [])\n",
            id="a caller passes a function",
        ),
        pytest.param(
            "from agents import D\n\n\n" + TRAIN.replace("D, ", ""), id="another file has it"
        ),
    ],
)
def test_what_something_speaks_against_is_none(text: str) -> None:
    (step,) = rewrite_source(HEAD + text).steps
    assert step.code == "OW101"


def test_a_normaliser_that_is_saved_stays_outside() -> None:
    text = TRAIN.replace("D, b", "model, normalizer, b").replace("D.state", "normalizer.state")
    text = text.replace(
        "loss = F.mse_loss(D(x)", "x = normalizer(x)\n        loss = F.mse_loss(model(x)"
    )
    assert (
        "        x = normalizer(x)\n        loss = model_with_" in rewrite_source(HEAD + text).text
    )
