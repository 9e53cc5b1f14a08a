"""The call for model and loss stays behind the statements that change what it reads."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = """\
import collections
import itertools

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

import settings

model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class Schedule:
    def __init__(self):
        self.weight = 1.0

    def start(self):
        self.weight /= 2

    def log_step(self):
        self.weight /= 2

    def sum(self):
        self.weight += 1
        return self.weight


class RunningLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.count = 0

    def forward(self, output, target):
        self.count += 1
        return nn.functional.cross_entropy(output, target) * self.count


running = RunningLoss()
schedule = Schedule()
stream = iter(range(1, 100))
counts, seen, weights, number = np.ones(3), set(), [3.0, 1.0], torch.ones(())
weight = 1.0
weighted = lambda output, target: criterion(output, target) * weight

for i in range(3):
    x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
    output = model(x)
    BETWEEN
    loss = LOSS
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

# What stands between, and the loss that it would change.
CHANGES = [
    ("seen.add(i)", "criterion(output, y) * len(seen)"),
    ("weights.sort()", "criterion(output, y) * weights[0]"),
    ("first = weights.pop()", "criterion(output, y) * len(weights)"),
    ("settings.scale = i", "criterion(output, y) * settings.scale"),
    ("np.add.at(counts, y.numpy(), 1)", "criterion(output, y) / counts[0]"),
    ("dist.all_reduce(number)", "criterion(output, y) / number"),
    ("schedule.start()", "criterion(output, y) * schedule.weight"),
    ("schedule.log_step()", "criterion(output, y) * schedule.weight"),
    ("print(schedule.sum())", "criterion(output, y) * schedule.weight"),
    ("probe = running(torch.zeros(8, 3), y)", "running(output, y)"),
    ("found = any(stream)", "criterion(output, y) / next(stream)"),
    (
        "collections.deque(itertools.islice(stream, 2), maxlen=0)",
        "criterion(output, y) / next(stream)",
    ),
    ("weight = 1.0 + i", "weighted(output, y)"),
]


@pytest.mark.parametrize(("between", "loss"), CHANGES, ids=[between for between, _ in CHANGES])
def test_the_call_stays_behind_what_changes_its_values(between: str, loss: str) -> None:
    text = HEAD.replace("BETWEEN", between).replace("LOSS", loss)
    result = rewrite_source(text)
    if result.status != "rewritten":
        assert {step.code for step in result.steps} == {"OW203"}
        return
    lines = [line.strip() for line in result.text.splitlines()]
    call = next(i for i, line in enumerate(lines) if line.startswith("loss = model_with_loss("))
    assert lines.index(between) < call


def test_what_the_loss_does_not_read_may_change_behind_the_call() -> None:
    text = HEAD.replace("BETWEEN", "seen.add(i)").replace("LOSS", "criterion(output, y)")
    lines = [line.strip() for line in rewrite_source(text).text.splitlines()]
    assert lines.index("loss = model_with_loss(x, y)") < lines.index("seen.add(i)")


@pytest.mark.parametrize(
    ("between", "rewritten"),
    [
        pytest.param("for n in seen:\n        if n > i:\n            break", True, id="a break"),
        pytest.param("while i > 9:\n        if seen:\n            continue", True, id="a continue"),
        pytest.param("if i in seen:\n        continue", False, id="of the loop of the step"),
        pytest.param(
            "for n in seen:\n        pass\n    else:\n        break", False, id="in an else"
        ),
    ],
)
def test_a_loop_that_ends_early_is_left_and_not_the_step(between: str, rewritten: bool) -> None:
    text = HEAD.replace("BETWEEN", between).replace("LOSS", "criterion(output, y)")
    (step,) = rewrite_source(text).steps
    assert step.code == (None if rewritten else "OW203")


def test_options_that_a_function_sets_by_name_are_no_traces_of_the_model() -> None:
    configure = "def configure(**given):\n    for name, value in given.items():\n"
    configure += "        setattr(schedule, name, value)\n\n\nfor i in range(3):"
    text = HEAD.replace("for i in range(3):", configure).replace("BETWEEN", "pass")
    text = text.replace("LOSS", "criterion(output, y) * schedule.weight")
    assert rewrite_source(text).status == "rewritten"


def test_the_model_runs_before_an_exception_that_is_caught() -> None:
    guarded = "try:\n        check(i)\n        output = model(x)\n        if i == 1:\n"
    guarded += "            raise ValueError\n        scale = 2.0 * i\n"
    guarded += "        loss = criterion(output, y) * scale\n        loss.backward()\n"
    guarded += "    except ValueError:\n        pass"
    head = HEAD[: HEAD.index("    output = model(x)")]
    result = rewrite_source(f"{head}    {guarded}\n")
    if result.status == "rewritten":
        assert result.text.index("= model_with_loss(") < result.text.index("raise ValueError")


def test_an_attribute_that_ends_in_an_underscore_is_given_as_data() -> None:
    text = """\
import torch
from torch import nn


class GAN:
    def __init__(self):
        self.G, self.D = nn.Linear(2, 4), nn.Linear(4, 1)
        self.criterion = nn.BCEWithLogitsLoss()
        self.optimizer = torch.optim.SGD([*self.D.parameters(), *self.G.parameters()], lr=0.1)
        self.y_real_, self.y_fake_ = torch.ones(8, 1), torch.zeros(8, 1)

    def train(self, images, z):
        real = self.D(images)
        loss = self.criterion(real, self.y_real_)
        loss.backward()
        self.optimizer.step()
        fake = self.D(self.G(z))
        fake_loss = self.criterion(fake, self.y_fake_)
        fake_loss.backward()
        self.optimizer.step()
"""
    assert [step.status for step in rewrite_source(text).steps] == ["rewritten", "rewritten"]


TOLD = """\
import torch
from torch import nn


def train(model, camera, logger, loader, optimizer):
    camera.on = True
    for x in loader:
        image = camera.take(x)
        output = model(image)
        {between}
        loss = nn.functional.mse_loss(output, image)
        loss.backward()
        optimizer.step()
"""


def test_two_objects_that_are_told_the_same_constant_are_not_one() -> None:
    assert rewrite_source(TOLD.format(between="logger.on = True")).status == "rewritten"


def test_what_an_object_gave_may_change_with_it() -> None:
    (step,) = rewrite_source(TOLD.format(between="camera.on = False")).steps
    assert step.code == "OW203"
    assert "changes `image`" in step.message


DESCRIBED = """\
import torch
from torch import nn

import zoo


class Net(nn.Linear):
    def describe(self, y):
        return len(y)


def train(loader, small):
    {made}
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for x, y in loader:
        output = net(x)
        count = net.describe(y)
        loss = nn.functional.cross_entropy(output, y)
        loss.backward()
        optimizer.step()
        print(count)
"""


def test_a_method_that_only_tells_something_of_the_batch_may_run_behind_the_call() -> None:
    text = rewrite_source(DESCRIBED.format(made="net = Net(4, 3)")).text
    assert text.index("loss = net_with_loss(x, y)") < text.index("count = net.describe(y)")


def test_a_method_of_what_another_file_may_have_made_does_not() -> None:
    made = "if small:\n        net = Net(4, 3)\n    else:\n        net = zoo.build()"
    result = rewrite_source(DESCRIBED.format(made=made))
    assert "count = net.describe(y)" not in result.text.partition("net_with_loss(")[2]
