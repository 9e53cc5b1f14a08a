"""Plain objects that hold modules: what a call of theirs runs is looked through, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"
PAIR = """\
class Pair:
    def __init__(self):
        self.steps = 0
        self.first = nn.Linear(4, 8)
        self.second = nn.Linear(8, 2)

    def run(self, x):
        return self.second(F.relu(self.first(x)))

    def tick(self):
        self.steps += 1


"""
TRAIN = """\
pair = Pair()
for x, y in []:
    out = pair.run(x)
    loss = F.mse_loss(out, y)
    loss.backward()
"""
BODY = "        return self.second(F.relu(self.first(x)))\n"
SCALED = "        return out * out.mean().item()\n"


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        pytest.param(
            PAIR
            + "class Twin(Pair):\n    def run(self, x):\n        return 2 * super().run(x)\n\n\n"
            + TRAIN.replace("Pair()", "Twin()"),
            "OW101",
            "`pair.run` is of an object of `Twin`, in which no module was found that it runs",
            id="it asks its base class",
        ),
        pytest.param(
            PAIR + TRAIN.replace("for", "pair.run = torch.compile(pair.run)\nfor"),
            "OW101",
            "`pair.run` is of an object of `Pair`, in which no module was found that it runs",
            id="the method is replaced",
        ),
        pytest.param(
            PAIR.replace("self.first(x)", "self.inner(x)")
            + "class Twin(Pair):\n    def inner(self, x):\n        return self.first(x)\n\n\n"
            + TRAIN.replace("Pair()", "Twin()"),
            "OW107",
            "calls `self.inner`, which several classes have",
            id="it calls what a derived class has",
        ),
    ],
)
def test_refused(text: str, code: str, why: str) -> None:
    (step,) = rewrite_source(HEAD + text).steps
    assert step.code == code
    assert why in step.message


def test_the_object_is_asked_for_its_method_and_modules_at_each_step() -> None:
    result = rewrite_source(HEAD + PAIR + TRAIN)
    made = "    second_with_loss = ort_module(ModuleWithLoss, pair.second, pair.first, pair.run)\n"
    assert f"{made}    loss = second_with_loss(x, y)\n" in result.text


def test_a_method_without_gradients_runs_modules_all_the_same() -> None:
    text = PAIR.replace("    def tick", "    @torch.no_grad()\n    def target(self, x):\n" + BODY)
    text = text.replace("        self.steps += 1\n", "").replace(BODY + "(self):\n", BODY)
    text += TRAIN.replace("(out, y)", "(out, pair.target(x))").replace("x, y in", "x in")
    result = rewrite_source(HEAD + text)
    assert "pair.second, pair.first, pair.run, pair.target\n" in result.text


def test_an_object_that_another_object_has() -> None:
    outer = "class Outer:\n    def __init__(self):\n        self.pair = Pair()\n\n\n"
    train = TRAIN.replace("pair = Pair()", "outer = Outer()").replace("pair.run", "outer.pair.run")
    result = rewrite_source(HEAD + PAIR + outer + train)
    assert "outer.pair.second, outer.pair.first, outer.pair.run" in result.text


def test_a_method_of_another_object_that_a_method_runs() -> None:
    outer = (
        "class Outer:\n    def __init__(self):\n        self.pair = Pair()\n\n"
        "    def value(self, x):\n        return 2 * self.pair.run(x)\n\n\n"
    )
    train = TRAIN.replace("pair = Pair()", "outer = Outer()").replace("pair.run", "outer.value")
    result = rewrite_source(HEAD + PAIR + outer + train)
    assert "outer.pair.second, outer.pair.first, outer.value" in result.text


@pytest.mark.parametrize(
    ("text", "lifted"),
    [
        pytest.param(
            PAIR.replace(BODY, BODY.replace("return", "out =") + SCALED) + TRAIN,
            "out = second_with_loss(x)\n        return out * out.mean().item()\n",
            id="it takes a number off what it computes",
        ),
        pytest.param(
            PAIR.replace(BODY, f"        x = x * self.steps\n{BODY}") + TRAIN + "    pair.tick()\n",
            "x = x * self.steps\n        return second_with_loss(x)\n",
            id="a method that the loop calls changes what it reads",
        ),
        pytest.param(
            PAIR.replace(BODY, f"        x = x * self.steps\n{BODY}")
            + TRAIN
            + "    pair.steps = pair.steps + 1\n",
            "x = x * self.steps\n        return second_with_loss(x)\n",
            id="the loop changes what it reads",
        ),
        pytest.param(
            PAIR + TRAIN.replace("    loss =", "    pair.tick()\n    loss ="),
            "def run(self, x):\n        second_with_loss",
            id="the object changes before the loss",
        ),
        pytest.param(
            PAIR.replace("first = nn.Linear(4, 8)", 'first = {"a": nn.Linear(4, 8)}').replace(
                "self.first(x)", 'self.first["a"](x)'
            )
            + TRAIN,
            'second_with_loss = ort_module(ModuleWithLoss, self.second, self.first["a"])\n',
            id="its modules are in a dict",
        ),
    ],
)
def test_what_cannot_move_into_forward_is_lifted_inside_the_method(text: str, lifted: str) -> None:
    result = rewrite_source(HEAD + text)
    assert lifted in result.text


def test_a_method_that_prints_is_lifted_inside() -> None:
    learner = (
        "class Learner:\n    def __init__(self):\n        self.net = nn.Linear(4, 2)\n\n"
        "    def loss(self, x, y):\n        print(x.shape)\n        out = self.net(x)\n"
        "        return F.mse_loss(out, y)\n\n\n"
    )
    train = "learner = Learner()\nfor x, y in []:\n    loss = learner.loss(x, y)\n"
    result = rewrite_source(HEAD + learner + train + "    loss.backward()\n")
    assert "        print(x.shape)\n        total_loss = net_with_loss(x, y)\n" in result.text


@pytest.mark.parametrize("run", ["pair.run(x)", "run(x)"], ids=["method", "function"])
def test_what_a_callee_draws_comes_before_what_is_drawn_behind_it(run: str) -> None:
    text = PAIR.replace(BODY, f"        x = x + torch.randn_like(x)\n{BODY}")
    text += "def run(x):\n    return pair.second(pair.first(x)) + torch.randn_like(x)\n\n\n"
    text += TRAIN.replace("pair.run(x)", f"{run}\n    y = y + torch.randn_like(y)")
    result = rewrite_source(HEAD + text)
    assert result.steps[0].status == "rewritten"
    assert "_with_loss(x, y)\n" in result.text


def test_what_changes_on_the_way_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "pairs.py").write_text(
        HEAD + PAIR.replace(BODY, f"        x = x * self.steps\n{BODY}")
    )
    (step,) = rewrite_beside(tmp_path / "train.py", f"from pairs import Pair\n{HEAD}{TRAIN}").steps
    assert step.code == "OW107"
    assert "reads `self.steps`, which changes (pairs.py:13)" in step.message


def test_a_batch_that_a_replay_buffer_samples_is_an_input() -> None:
    memory = (
        "import random\n\n\nclass Memory:\n    def __init__(self):\n        self.items = []\n\n"
        "    def push(self, item):\n        self.items.append(item)\n\n"
        "    def sample(self, count):\n        return random.sample(self.items, count)\n\n\n"
    )
    agent = (
        "class Agent:\n    def __init__(self):\n        self.net = nn.Linear(4, 2)\n"
        "        self.memory = Memory()\n\n    def td_loss(self, batch):\n"
        "        return self.net(batch).mean()\n\n    def learn(self):\n"
        "        loss = self.td_loss(self.memory.sample(16))\n        loss.backward()\n"
    )
    result = rewrite_source(HEAD + memory + agent)
    assert "loss = net_with_loss(self.memory.sample(16))\n" in result.text


def test_a_method_that_runs_modules_by_another_method_is_held_with_these_alone() -> None:
    text = PAIR.replace("self.first(x)", "self.inner(x)").replace(
        "    def tick", "    def inner(self, x):\n        return self.first(x)\n\n    def tick"
    )
    result = rewrite_source(HEAD + text + TRAIN)
    assert "ort_module(ModuleWithLoss, pair.second, pair.first, pair.run)\n" in result.text


def test_a_property_gives_the_one_module_that_is_held() -> None:
    learner = (
        "class Learner:\n    def __init__(self):\n        self._net = nn.Linear(4, 2)\n"
        "        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)\n\n"
        "    @property\n    def net(self):\n        return self._net\n\n"
        "    def step(self, x, y):\n        loss = F.mse_loss(self.net(x), y)\n"
        "        loss.backward()\n"
    )
    result = rewrite_source(HEAD + learner)
    assert "ort_module(ModuleWithLoss, self.net)\n" in result.text


def test_a_namespace_is_no_module_but_holds_some() -> None:
    text = (
        "from types import SimpleNamespace\n\nnets = SimpleNamespace(enc=nn.Linear(4, 2))\n"
        "optimizer = torch.optim.SGD(nets.enc.parameters(), lr=0.1)\n"
        "for x, y in []:\n    loss = F.mse_loss(nets.enc(x), y)\n    loss.backward()\n"
    )
    result = rewrite_source(HEAD + text)
    assert "ort_module(ModuleWithLoss, nets.enc)\n" in result.text
