"""A branch on a local name goes into forward if the name holds nothing that depends on values."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import torch
import torch.nn.functional as F
from torch import nn


def train(loader, args):
    model = nn.Linear(4, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    special = False
    for x, y in loader:
        output = model(x)
        {first}
        {flag}
        loss = F.mse_loss(output, y)
        if special:
            loss = loss + output.abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def goes_inside(flag: str, first: str = "pass") -> bool:
    """Forward asks for the flag; where it cannot, the branch follows the call or all stays."""
    result = rewrite_source(STEP.format(flag=flag, first=first))
    wrapper, _, step = result.text.partition("def train(")
    assert ("if special:" in wrapper) != ("if special:" in step)
    return "if special:" in wrapper


@pytest.mark.parametrize(
    "flag",
    [
        "special = isinstance(output, tuple)",
        "special = output.dim() == 2",
        "special = not hasattr(output, 'logits') and output.shape[0] > 1",
        "if isinstance(output, tuple):\n            special = True",
    ],
)
def test_it_asks_of_what_kind_a_value_is(flag: str) -> None:
    assert goes_inside(flag)


@pytest.mark.parametrize(
    "flag",
    [
        pytest.param("special = output.sum() > 0", id="a value"),
        pytest.param(
            "special = isinstance(output, tuple) or output.sum() > 0", id="a kind or a value"
        ),
        pytest.param("special = output[0, 0]", id="a value as it is"),
        pytest.param("special = output.mean().data", id="a value without its graph"),
        pytest.param("if output.mean().data:\n            special = True", id="asked of such"),
        pytest.param("special = bool(output.any())", id="a value made an answer"),
        pytest.param("if output.sum() > 0:\n            special = True", id="set by a value"),
        pytest.param("special, other = isinstance(output, tuple), output.max()", id="one of two"),
        pytest.param(
            "special = isinstance(output, tuple)\n        special += output.sum()", id="or more"
        ),
    ],
)
def test_it_asks_for_values(flag: str) -> None:
    assert not goes_inside(flag)


def test_a_name_that_also_holds_a_value_is_no_flag() -> None:
    flag = "if isinstance(output, tuple):\n            special = True"
    assert not goes_inside(flag, first="special = output.sum() > 0")
