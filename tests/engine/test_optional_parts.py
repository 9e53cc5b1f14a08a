"""Modules that only an option makes: the wrapper holds None where it is off."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn


def train(option, batches):
    model = nn.Linear(4, 4)
    {made}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in batches:
        loss = model(x).mean()
        {used}
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
MADE = "if option:\n        extra = nn.Linear(4, 3)"
USED = "if option:\n            loss = loss + extra(model(x)).mean()"


@pytest.mark.parametrize(
    ("made", "used"),
    [
        pytest.param(MADE, USED, id="by the same option"),
        pytest.param(f"{MADE}\n        extra.eval()", USED, id="changed under it"),
        pytest.param("if option > 1:\n        extra = nn.Linear(4, 3)", USED, id="by another"),
    ],
)
def test_a_module_of_an_option_starts_as_none(made: str, used: str) -> None:
    result = rewrite_source(SCRIPT.format(made=made, used=used))
    assert "    extra = None\n    if option" in result.text
    assert "ort_module(ModelWithLoss, model, extra)" in result.text.replace(
        "ModuleWith", "ModelWith"
    )


@pytest.mark.parametrize(
    ("made", "used"),
    [
        pytest.param(
            "if option:\n        extra = [nn.Linear(4, 3), nn.Linear(4, 2)]",
            "if option:\n            loss = loss + sum(one(x).mean() for one in extra)",
            id="a list of them",
        ),
        pytest.param(
            f'{MADE}\n    print("extra" in locals())', USED, id="who asks whether it is there"
        ),
    ],
)
def test_a_module_that_cannot_start_as_none_is_refused(made: str, used: str) -> None:
    (step,) = rewrite_source(SCRIPT.format(made=made, used=used)).steps
    assert step.code == "OW106"
