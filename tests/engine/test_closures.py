"""Where the wrapper of a step is made that stands in a function which another one defines."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = """\
import torch
from torch import nn
"""
CLOSURE = """\
def closure():
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    return loss
"""


def indented(text: str, depth: int) -> str:
    return "".join(f"{'    ' * depth}{line}" for line in text.splitlines(keepends=True))


def place_of_the_wrapper(body: str) -> tuple[str, str]:
    """The indentation of the line that makes the wrapper, and the next line that says anything."""
    result = rewrite_source(HEAD + body)
    assert [step.status for step in result.steps] == ["rewritten"], result.steps
    lines = [line for line in result.text.splitlines() if line.strip()]
    (at,) = (i for i, line in enumerate(lines) if "= ort_module(" in line)
    return lines[at].partition("model_with_loss")[0], lines[at + 1].strip()


FIT = """\
def fit(x, y, epochs):
    model = nn.Linear(4, 2)
    criterion = nn.MSELoss()
    optimizer = torch.optim.LBFGS(model.parameters())
    for _ in range(epochs):
{closure}
        optimizer.step(closure)
{after}
"""
OUTSIDE = ("    ", "for _ in range(epochs):")
INSIDE = ("            ", "optimizer.zero_grad()")


@pytest.mark.parametrize(
    ("after", "place"),
    [
        pytest.param("", OUTSIDE, id="it only runs in the loop"),
        pytest.param("    print(closure())", OUTSIDE, id="and is called behind it"),
        pytest.param("    return closure", OUTSIDE, id="it outlives the function"),
        pytest.param(
            "    model = nn.Linear(4, 2)\n    closure()", INSIDE, id="another model later"
        ),
        pytest.param("        model = nn.Linear(4, 2)", INSIDE, id="another model in each round"),
        pytest.param("    del model", INSIDE, id="the model is deleted"),
        pytest.param("    closures.append(closure)", OUTSIDE, id="it is kept"),
        pytest.param(
            "    def renew():\n        nonlocal model\n        model = nn.Linear(4, 2)",
            INSIDE,
            id="a function may bind another model",
        ),
    ],
)
def test_it_is_made_before_the_loop_that_defines_a_closure(
    after: str, place: tuple[str, str]
) -> None:
    body = FIT.format(closure=indented(CLOSURE, 2), after=after)
    assert place_of_the_wrapper(body) == place


MAKE = """\
def make(model, criterion, optimizer):
    {before}
    def closure(x, y):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        return loss.item()

    return closure
"""


@pytest.mark.parametrize(
    ("before", "place"),
    [
        pytest.param("", ("    ", "def closure(x, y):"), id="parameters"),
        pytest.param(
            "criterion_ = criterion\n    criterion = criterion_.cpu()",
            ("        ", "optimizer.zero_grad()"),
            id="a parameter bound once more",
        ),
        pytest.param("extra = nn.ReLU()", ("    ", "extra = nn.ReLU()"), id="something beside"),
        pytest.param(
            "model = model.cuda()", ("        ", "optimizer.zero_grad()"), id="bound once more"
        ),
    ],
)
def test_a_function_that_is_returned_finds_what_the_one_around_it_was_given(
    before: str, place: tuple[str, str]
) -> None:
    assert place_of_the_wrapper(MAKE.format(before=before)) == place


MAKE_ALL = """\
def make(width):
    model = nn.Linear(width, 2)
    {loop}criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def closure(x, y):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        return loss.item()

    return closure
"""


@pytest.mark.parametrize(
    ("loop", "place"),
    [("", ("    ", "def closure(x, y):")), ("while True: ", ("        ", "optimizer.zero_grad()"))],
    ids=["made once", "made again and again"],
)
def test_a_function_that_is_returned_finds_what_was_made_once(
    loop: str, place: tuple[str, str]
) -> None:
    assert place_of_the_wrapper(MAKE_ALL.format(loop=loop)) == place


AT_TOP = """\
model = nn.Linear(4, 2)
criterion = nn.MSELoss()
optimizer = torch.optim.LBFGS(model.parameters())
x, y = torch.ones(3, 4), torch.ones(3, 2)

{closure}

for _ in range(3):
    {run}
"""


@pytest.mark.parametrize(
    ("run", "place"),
    [
        pytest.param("optimizer.step(closure)", ("", "def closure():"), id="of an optimizer"),
        pytest.param("closure()", ("    ", "optimizer.zero_grad()"), id="a function like others"),
    ],
)
def test_a_closure_of_the_module(run: str, place: tuple[str, str]) -> None:
    assert place_of_the_wrapper(AT_TOP.format(closure=CLOSURE, run=run)) == place


def test_a_closure_does_not_hide_the_wrapper_of_another() -> None:
    second = CLOSURE.replace("closure", "second").replace(
        "criterion(model(x), y)", "model(x).mean()"
    )
    closures = indented(CLOSURE, 2) + indented(second, 2)
    body = FIT.format(closure=closures, after="        optimizer.step(second)")
    text = rewrite_source(HEAD + body).text
    made = [
        line.partition(" = ort_module(") for line in text.splitlines() if "= ort_module(" in line
    ]
    assert len({name.strip() for name, _, _ in made}) == len(made) == 2


TRAINER = """\
class Trainer:
    def __init__(self, model, criterion):
        self.model = model
        self.criterion = criterion
        self.optimizer = torch.optim.LBFGS(self.model.parameters())

    def fit(self, batches):
        for x, y in batches:
{closure}
            self.optimizer.step(closure)
            {after}

    def renew(self):
        self.model = nn.Linear(4, 2)
"""


@pytest.mark.parametrize(
    ("after", "place"),
    [
        pytest.param("", ("        ", "for x, y in batches:"), id="they stay"),
        pytest.param(
            "self.renew()", ("                ", "self.optimizer.zero_grad()"), id="renewed"
        ),
    ],
)
def test_attributes_of_a_trainer(after: str, place: tuple[str, str]) -> None:
    closure = CLOSURE
    for name in ("optimizer", "criterion", "model"):
        closure = closure.replace(name, f"self.{name}")
    body = TRAINER.format(closure=indented(closure, 3), after=after)
    assert place_of_the_wrapper(body) == place
