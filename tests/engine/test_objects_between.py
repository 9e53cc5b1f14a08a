"""What a statement changes under another name, or by a mere use, the loss reads as before."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_run import assert_same, run

from ortwrap.engine import rewrite_source

HEAD = """\
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
SETTINGS = {"weight": 1.0}
current = SETTINGS


class Counting(nn.Module):
    history = []

    def forward(self, output, target):
        return criterion(output, target) / (1 + len(self.history))


class Meter:
    def __init__(self):
        self.uses = 1

    def move_on(self):
        self.uses += 1

    def __str__(self):
        self.move_on()
        return "meter"

    def __len__(self):
        self.uses += 1
        return self.uses

    def __gt__(self, other):
        self.uses += 1
        return self.uses > other

    def __iter__(self):
        self.uses += 1
        return iter((0.5, 0.5))

    @property
    def current(self):
        self.uses += 1
        return self.uses


class Options:
    def __init__(self):
        self.__dict__["values"] = {"weight": 1.0}
        self.__dict__["asked"] = 1

    def __getattr__(self, name):
        self.asked += 1
        return self.values[name]


class Trainer:
    weight = 1.0

    def __init__(self, settings):
        self.settings = settings

    def scale(self):
        return self.weight

    def step(self, i, x, y, given):
        output = model(x)
        BETWEEN
        loss = LOSS
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


counting, meter, options, trainer = Counting(), Meter(), Options(), Trainer(SETTINGS)
for i in range(3):
    trainer.step(i, torch.randn(8, 4), torch.randint(0, 3, (8,)), SETTINGS)
"""

# What stands between, and the loss that it would change.
CHANGES = [
    ("SETTINGS['weight'] = 1.0 + i", "criterion(output, y) * self.settings['weight']"),
    ("SETTINGS['weight'] = 1.0 + i", "criterion(output, y) * current['weight']"),
    ("SETTINGS['weight'] = 1.0 + i", "criterion(output, y) * given['weight']"),
    ("self.settings.update(weight=1.0 + i)", "criterion(output, y) * SETTINGS['weight']"),
    ("Trainer.weight = 1.0 + i", "criterion(output, y) * self.weight"),
    ("Trainer.weight = 1.0 + i", "criterion(output, y) * self.scale()"),
    ("type(self).weight += i", "criterion(output, y) * self.weight"),
    ("self.__class__.weight = 1.0 + i", "criterion(output, y) * self.scale()"),
    ("Counting.history.append(i)", "counting(output, y)"),
    ("print(meter)", "criterion(output, y) * meter.uses"),
    ("print(f'{meter!s:>8}')", "criterion(output, y) * meter.uses"),
    ("print(len(meter))", "criterion(output, y) * meter.uses"),
    ("many = meter > 3", "criterion(output, y) * meter.uses"),
    ("halves = [half for half in meter]", "criterion(output, y) * meter.uses"),
    ("print(meter.current)", "criterion(output, y) * meter.uses"),
    ("print(meter.uses)", "criterion(output, y) * meter.current"),
    ("print(options.weight)", "criterion(output, y) * options.asked"),
    ("print(i)", "criterion(output, y) * sum(half for half in meter) * meter.uses"),
    ("print(i)", "options.weight * criterion(output, y) + options.weight * options.asked"),
]


@pytest.mark.parametrize(("between", "loss"), CHANGES)
def test_the_loss_stays_what_it_was(
    between: str, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORTWRAP_BACKEND", "eager")
    text = HEAD.replace("BETWEEN", between).replace("LOSS", loss)
    result = rewrite_source(text)
    if result.status == "rewritten":
        before, after = run(text, Path(__file__)), run(result.text, Path(__file__))
        assert_same(before, after, tolerance=0)
        assert after.printed == before.printed


HARMLESS = [
    ("print(SETTINGS)", "criterion(output, y) * self.settings['weight']"),
    ("print(Trainer.weight)", "criterion(output, y) * self.weight"),
    ("print(meter)", "criterion(output, y) * options.asked"),
    ("meter.seen = i", "criterion(output, y)"),
    ("print(meter.uses)", "criterion(output, y) * meter.uses"),
]


@pytest.mark.parametrize(("between", "loss"), HARMLESS)
def test_what_changes_nothing_of_the_loss_stays_behind_the_call(between: str, loss: str) -> None:
    text = HEAD.replace("BETWEEN", between).replace("LOSS", loss)
    lines = [line.strip() for line in rewrite_source(text).text.splitlines()]
    call = next(i for i, line in enumerate(lines) if line.startswith("loss = model_with_loss("))
    assert call < lines.index(between)


LOOKED_UP = {
    "in the frame of the caller": "def show():\n"
    "    names = inspect.currentframe().f_back.f_locals\n"
    "    print(names['output'].shape)\n\n\n"
    "def step(x, y):\n"
    "    output = model(x)\n    loss = criterion(output, y)\n"
    "    loss.backward()\n    optimizer.step()\n    show()\n\n\n"
    "step(torch.randn(8, 4), torch.randint(0, 3, (8,)))\n",
    "in the module": "output = model(torch.randn(8, 4))\n"
    "loss = criterion(output, torch.randint(0, 3, (8,)))\n"
    "loss.backward()\noptimizer.step()\n"
    "print(sys.modules[__name__].__dict__.get('output', loss).shape)\n",
}


@pytest.mark.parametrize("rest", LOOKED_UP.values(), ids=LOOKED_UP)
def test_what_is_looked_up_by_its_name_is_given_back(rest: str) -> None:
    head = HEAD[: HEAD.index("SETTINGS")].replace("import torch\n", "import inspect, sys, torch\n")
    result = rewrite_source(head + rest)
    assert "loss, output = model_with_loss(" in result.text


def test_a_class_called_super_is_not_meant_by_the_wrapper() -> None:
    rest = "class super:\n    pass\n\n\nloss = criterion(model(x), y)\nloss.backward()\n"
    result = rewrite_source(HEAD[: HEAD.index("SETTINGS")] + rest)
    assert "nn.Module.__init__(self)" in result.text


@pytest.mark.parametrize("on_all", [True, False])
def test_hooks_on_all_modules_would_see_the_wrapper(on_all: bool) -> None:
    hooked = "torch.nn.modules.module.register_module_forward_hook(print)\n"
    rest = "loss = criterion(model(x), y)\nloss.backward()\n"
    text = HEAD[: HEAD.index("SETTINGS")] + (hooked if on_all else "") + rest
    assert [step.code for step in rewrite_source(text).steps] == ["OW107" if on_all else None]


@pytest.mark.parametrize("call", ["drawn()", "drawn.weight()"])
def test_an_object_does_not_draw_before_the_model_what_it_drew_after_it(call: str) -> None:
    source = f"""\
import torch
from torch import nn


class Drawn:
    def __init__(self):
        self.value = 1.0

    def __call__(self):
        self.value = torch.rand(1).item()
        return 1.0 - self.value

    def weight(self):
        self.value = torch.rand(1).item()
        return 1.0 - self.value


def penalised(output, weight):
    return weight * output.pow(2).mean()


drawn = Drawn()
model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x in torch.randn(3, 2, 4):
    output = model(x)
    loss = penalised(output, {call})
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
    (step,) = rewrite_source(source).steps
    assert (step.status, step.code) == ("refused", "OW203")
    assert "draws random numbers after the model has run" in step.message
