"""Which names of an earlier loss a later loop reads, and which it has bound anew before it does."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.engine.result import Step

SCRIPT = """\
import torch
from torch import nn

device = torch.device("cpu")
model = nn.Linear(4, 2)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(rounds):
    for batches in rounds:
        first = 0
        for x, y in batches:
            out = model(x)
            first = first + criterion(out, y)
        optimizer.zero_grad()
        first.backward()
        optimizer.step()

        second = 0
        {loop}
            second = second + criterion(model(x), out)
        optimizer.zero_grad()
        second.backward()
        optimizer.step()
"""


def steps(*loop: str) -> tuple[Step, ...]:
    return rewrite_source(SCRIPT.format(loop="\n            ".join(loop))).steps


@pytest.mark.parametrize(
    "loop",
    [
        pytest.param(["for x, out in batches:"], id="the loop's target"),
        pytest.param(["for x, y in batches:", "out = y.to(device)"], id="an assignment"),
        pytest.param(
            ["for x, y in batches:", "out = y", "out = out.to(device)"], id="one after another"
        ),
        pytest.param(
            ["for x, y in batches:", "if x.ndim > 1:", "    out = y", "else:", "    out = y + 1"],
            id="both branches",
        ),
        pytest.param(
            ["for x, y in batches:", "with torch.no_grad():", "    out = y.clone()"], id="a with"
        ),
    ],
)
def test_what_is_bound_anew_is_of_no_earlier_graph(loop: list[str]) -> None:
    assert [step.status for step in steps(*loop)] == ["rewritten", "rewritten"]


@pytest.mark.parametrize(
    "loop",
    [
        pytest.param(["for x, y in batches:", "pass"], id="never"),
        pytest.param(["for x, y in batches:", "if x.ndim > 1:", "    out = y"], id="in one branch"),
        pytest.param(["for x, y in batches:", "out = out + y"], id="made of what it was"),
        pytest.param(
            ["for x, y in batches:", "for out in y:", "    pass"], id="in a loop of no round"
        ),
        pytest.param(
            ["for x, y in batches:", "try:", "    out = y", "except ValueError:", "    pass"],
            id="in a try",
        ),
        pytest.param(["for x, y in batches:", "out += y"], id="changed in place"),
    ],
)
def test_what_may_still_be_the_earlier_value_is_refused(loop: list[str]) -> None:
    assert {step.code for step in steps(*loop)} == {"OW202"}
