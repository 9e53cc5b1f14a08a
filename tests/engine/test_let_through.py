"""What looks like a reason to refuse and is none, each beside its twin that is one."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = "import torch\nfrom torch import nn\nfrom torch.autograd import Variable\n\n"
MODEL = "model = nn.Linear(4, 2)\ncriterion = nn.MSELoss()\n\n\n"

SIZES = """\
def train(x, y, lengths):
    out = model(x)
    rows = []
    for i in range(len(lengths)):
        {size}
        if count > 0:
            rows.append(out[i])
    loss = criterion(torch.stack(rows), y)
    loss.backward()
"""
OLD_WRAPPER = """\
def wrapped(values):
    return Variable(values.float(){more})


def train(x, y):
    loss = criterion(model(wrapped(x)), wrapped(y))
    loss.backward()
"""
TIMED = """\
def timed(net, x):
    with torch.autograd.profiler.record_function("forward"):
        {more}
        return net(x)


def train(x, y):
    loss = criterion(timed(model, x), y)
    loss.backward()
"""
TESTED = """\
class TestModel({base}):
    def test_training(self, x, y):
        for i in range(20):
            out = model(x)
            self.{method}(out.shape, y.shape)
            loss = criterion(out, y)
            loss.backward()
            self.optimizer.step()
"""
METHODS = """\
class Trainer:
    def loss_of(self, net, x, y):
        return criterion(net(x), y)

    def train(self, x, y):
        {keep}
        loss = self.loss_of(model, x, y)
        loss.backward({again})


class Weighted(Trainer):
    def loss_of(self, net, x, y):
        {more}
        return criterion(net(x) * {weight}, y)
"""


ASSERTED = """\
def train(x, y):
    out = model(x)
    assert {asserted}
    loss = criterion(out, y) + model.penalty(out)
    loss.backward()
"""


COUNTED = """\
def train(x, y):
    out = model(x)

    def count(rows):
        {declared}
        total = 0
        for row in rows:
            total += len(row)
        return total

    total = out
    loss = criterion(out, y)
    print(count(y), total)
    loss.backward()
"""


FIRST = """\
def train(x, y):
    out = model(x)
    if {test}:
        out = out[0]
    loss = criterion(out, y)
    loss.backward()
"""


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param(FIRST.format(test="not torch.is_tensor(out)"), None, id="what is no tensor"),
        pytest.param(FIRST.format(test="torch.any(out)"), "OW305", id="what is in a tensor"),
        pytest.param(COUNTED.format(declared="pass"), None, id="a count of a function's own"),
        pytest.param(
            COUNTED.format(declared="nonlocal total"), "OW203", id="a name of the function around"
        ),
        pytest.param(
            ASSERTED.format(asserted="isinstance(model, nn.Linear)"), None, id="what a module is"
        ),
        pytest.param(
            ASSERTED.format(asserted="model.eval().training"), "OW203", id="what changes its mode"
        ),
        pytest.param(SIZES.format(size="count = len(lengths[i])"), None, id="the length of a list"),
        pytest.param(SIZES.format(size="count = out[i].sum()"), "OW305", id="a computed value"),
        pytest.param(OLD_WRAPPER.format(more=""), None, id="a tensor in a Variable"),
        pytest.param(
            OLD_WRAPPER.format(more=", requires_grad=True"), "OW205", id="a leaf in a Variable"
        ),
        pytest.param(TIMED.format(more=""), None, id="a profiler's clock"),
        pytest.param(
            TIMED.format(more="x = torch.autograd.grad(net(x).sum(), x)[0]"),
            "OW205",
            id="a gradient under a profiler's clock",
        ),
        pytest.param(
            TESTED.format(base="unittest.TestCase", method="assertEqual"), None, id="an assertion"
        ),
        pytest.param(
            TESTED.format(base="unittest.TestCase", method="compare"), "OW203", id="some method"
        ),
        pytest.param(TESTED.format(base="Base", method="assertEqual"), "OW203", id="no test case"),
        pytest.param(
            METHODS.format(keep="pass", again="", more="print(x)", weight="2"),
            None,
            id="methods that derived classes have",
        ),
        pytest.param(
            METHODS.format(keep="pass", again="retain_graph=True", more="print(x)", weight="2"),
            "OW107",
            id="one of them does more, and a graph is used twice",
        ),
        pytest.param(
            METHODS.format(
                keep="self.gain = nn.Linear(2, 2)",
                again="retain_graph=True",
                more="w = self.gain(y)",
                weight="w",
            ),
            "OW107",
            id="one of them runs a module that others have not",
        ),
    ],
)
def test_only_the_twin_is_refused(script: str, code: str | None) -> None:
    steps = rewrite_source(f"{HEAD}import unittest\n\n{MODEL}{script}").steps
    assert {step.code for step in steps} == {code}, steps


@pytest.mark.parametrize(
    ("imports", "status"),
    [
        pytest.param("from model import *", ["rewritten"], id="torch comes with everything"),
        pytest.param("from model import Net, criterion", ["refused"], id="nothing brings torch"),
        pytest.param("from model import *\nimport mxnet", ["refused"], id="another framework"),
    ],
)
def test_torch_may_come_from_another_file(imports: str, status: list[str]) -> None:
    steps = rewrite_source(
        f"{imports}\n\n\ndef train(model, x, y):\n    model.train()\n    out = model(x)\n"
        "    loss = ((out - torch.Tensor(y)) ** 2).mean()\n    loss.backward()\n"
    ).steps
    assert [step.status for step in steps] == status, steps


ROLLOUT = """\
def discounted(rewards):
    total, returns = 0.0, []
    for reward in rewards[::-1]:
        total = reward + 0.9 * total
        returns.append(total)
    return {made}


def train(env, state):
    states, rewards = [], []
    for t in range(5):
        dist = torch.distributions.Categorical(logits=model(state))
        following, reward, done, info = env.step(dist.sample())
        states.append(state)
        rewards.append(reward)
        state = following
    loss = criterion(model(torch.tensor(states)), discounted(rewards))
    loss.backward()
"""


@pytest.mark.parametrize(
    ("made", "code"),
    [("torch.tensor(returns[::-1]).float()", None), ("torch.stack(returns)", "OW306")],
    ids=["new tensors", "tensors that may carry a gradient"],
)
def test_what_was_collected_before_the_loss_stays_outside(made: str, code: str | None) -> None:
    (step,) = rewrite_source(HEAD + MODEL + ROLLOUT.format(made=made)).steps
    assert step.code == code, step


@pytest.mark.parametrize(
    ("step", "parameters"),
    [
        ("def train(self, y):\n    out = model(self)\n", "self_2, y"),
        ("def train(x, y, n):\n    out = model(x[: n.item()]) + x[1:]\n", "x, x_2, y"),
    ],
    ids=["the name of the wrapper", "a part and the whole"],
)
def test_names_of_forward_are_told_apart(step: str, parameters: str) -> None:
    text = f"{HEAD}{MODEL}{step}    loss = criterion(out, y)\n    loss.backward()\n"
    assert f"def forward(self, {parameters}):" in rewrite_source(text).text


@pytest.mark.parametrize(
    "loss",
    [
        "    with torch.no_grad():\n        part = extra(y)\n        shown = out.mean()\n"
        "    loss = criterion(out, y) + part\n    print(shown)\n",
        "    with torch.autocast('cpu', enabled=False):\n"
        "        loss = criterion(out, y) + extra(y)\n",
        "    loss = criterion(out, y) + extra(y)\n",
    ],
    ids=["without gradients", "in another precision", "after what the model draws"],
)
def test_a_function_of_another_file_runs_where_it_stood(loss: str) -> None:
    step = f"def train(x, y):\n    out = model(x)\n{loss}    loss.backward()\n"
    patched = rewrite_source(f"from losses import extra\n{HEAD}{MODEL}{step}").text
    assert "extra(y)" in patched[: patched.index("def train")]
    assert "extra(y)" not in patched[patched.index("def train") :]


def test_no_new_name_is_one_that_the_script_reads_from_elsewhere() -> None:
    text = f"{HEAD}{MODEL}print(model_with_loss)\nloss = criterion(model(x), y)\nloss.backward()\n"
    assert "model_with_loss = " not in rewrite_source(text).text
    assert [step.status for step in rewrite_source(text).steps] == ["rewritten"]


TWO_PASSES = """\
import torch
from torch import nn

model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss(reduction="none")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for x, y in []:
    loss = criterion(model(x), y)
    loss.mean().backward()
    optimizer.step()
    AFTER
    print(loss.mean().item())

for x, y in []:
    loss = criterion(model(x), y).sum()
    loss.backward()
"""


@pytest.mark.parametrize(
    ("after", "codes"),
    [
        ("pass", [None, None]),
        ("print(loss.grad_fn)", ["OW302", None]),
        ("if y.any():\n        loss = y.sum()\n    print(loss.requires_grad)", ["OW302", None]),
    ],
)
def test_what_another_step_asks_of_a_name_of_its_own(after: str, codes: list[str | None]) -> None:
    steps = rewrite_source(TWO_PASSES.replace("AFTER", after)).steps
    assert [step.code for step in steps] == codes
