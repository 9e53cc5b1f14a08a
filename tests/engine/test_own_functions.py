"""A function that a step defines for its loss goes into forward, if it does the same there."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.engine.result import Result

STEP = """\
import torch
import torch.nn.functional as F
from torch import nn


def train(model, loader, optimizer, args, scales, kept):
    {above}
    for image, mask in loader:
        output = model(image)
        {first}
        def penalty({parameters}):
            {body}
        {between}
        loss = {loss}
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        {after}
    return model


def main(loader, args):
    model = nn.Linear(4, 4)
    train(model, loader, torch.optim.SGD(model.parameters(), lr=0.1), args, [1, 2], [])
"""


def rewritten(
    body: str = "return F.mse_loss(o, mask)",
    parameters: str = "o",
    loss: str = "penalty(output)",
    between: str = "pass",
    first: str = "pass",
    after: str = "pass",
    above: str = "pass",
) -> Result:
    return rewrite_source(
        STEP.format(
            body=body.replace("\n", "\n" + 12 * " "),
            parameters=parameters,
            loss=loss,
            between=between,
            first=first,
            after=after,
            above=above,
        )
    )


@pytest.mark.parametrize(
    ("step", "call"),
    [
        pytest.param({}, "(image, mask)", id="it reads the batch"),
        pytest.param(
            {"body": "return args.weight * F.mse_loss(o, mask)"},
            "(image, args.weight, mask)",
            id="and an option",
        ),
        pytest.param(
            {"parameters": "o, weight=2.0", "body": "return weight * F.mse_loss(o, mask)"},
            "(image, mask)",
            id="it has a default",
        ),
        pytest.param(
            {"body": "if o.dim() > 2:\n    o = o.flatten(1)\nreturn F.mse_loss(o, mask)"},
            "(image, mask)",
            id="it asks for a shape",
        ),
        pytest.param(
            {"first": "half = output / 2", "body": "return F.mse_loss(o, half) + mask.mean()"},
            "(image, mask)",
            id="it reads what the model computed",
        ),
        pytest.param(
            {"first": "def error(o):\n            return F.l1_loss(o, mask)\n",
             "body": "return 2 * error(o)"},
            "(image, mask)",
            id="it calls another one",
        ),
    ],
)  # fmt: skip
def test_it_goes_into_forward(step: dict[str, str], call: str) -> None:
    result = rewritten(**step)
    assert [row.status for row in result.steps] == ["rewritten"], result.steps
    wrapper, _, script = result.text.partition("def train(")
    assert "        def penalty(" in wrapper
    assert "def penalty(" not in script
    assert f"loss = model_with_loss{call}" in script


def test_no_parameter_of_forward_is_hidden_by_one_of_its_own() -> None:
    result = rewritten(body="return args.o * F.mse_loss(o, mask)")
    assert "return args_o * F.mse_loss(o, mask)" in result.text


def test_what_only_it_reads_does_not_come_out() -> None:
    result = rewritten(first="half = output / 2", body="return F.mse_loss(o, half)")
    assert "loss = model_with_loss(image)" in result.text


@pytest.mark.parametrize(
    ("step", "code"),
    [
        pytest.param({"between": "mask = mask / 2"}, "OW107", id="what it reads changes"),
        pytest.param({"between": "mask.mul_(2)"}, "OW203", id="in place"),
        pytest.param(
            {"first": "same = mask", "between": "same.mul_(2)"}, "OW107", id="by another name"
        ),
        pytest.param({"after": "print(penalty(image))"}, "OW107", id="it is called later"),
        pytest.param({"after": "kept.append(penalty)"}, "OW107", id="it is kept"),
        pytest.param(
            {"loss": "sum(map(penalty, [output, output]))"}, "OW109", id="it is handed on"
        ),
        pytest.param(
            {"body": "return F.mse_loss(o, mask) if o.sum() > 0 else o.mean()"},
            "OW107",
            id="it decides by what it is given",
        ),
        pytest.param(
            {"body": "return F.mse_loss(o, mask) * o.max().item()"}, "OW107", id="it takes a value"
        ),
        pytest.param(
            {"body": "kept.append(o)\nreturn F.mse_loss(o, mask)"}, "OW203", id="it keeps a value"
        ),
        pytest.param(
            {"body": "o += 1\nreturn F.mse_loss(o, mask)"}, "OW107", id="it writes to its argument"
        ),
        pytest.param(
            {"body": "m = mask\nm += 1\nreturn F.mse_loss(o, m)"}, "OW107", id="or to the batch"
        ),
        pytest.param(
            {"parameters": "o, m=mask", "body": "return F.mse_loss(o, m + mask)"},
            "OW107",
            id="it was given a value where it was defined",
        ),
        pytest.param({"after": "print(locals())"}, "OW107", id="all locals are shown"),
        pytest.param(
            {
                "above": "nets = [nn.Linear(4, 4), nn.Linear(4, 4)]",
                "body": "return F.mse_loss(sum(net(o) for net in nets), mask)",
            },
            "OW107",
            id="it runs modules of a list",
        ),
    ],
)
def test_it_keeps_the_step_as_it_is(step: dict[str, str], code: str) -> None:
    result = rewritten(**step)
    assert [row.code for row in result.steps] == [code], result.text


ABOVE = """\
import torch
import torch.nn.functional as F
from torch import nn


def train(model, loader, optimizer):
    def penalty(o):
        {body}
    for image, mask in loader:
        output = model(image)
        loss = penalty(output)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        {after}
    {behind}


def main(loader):
    model = nn.Linear(4, 4)
    train(model, loader, torch.optim.SGD(model.parameters(), lr=0.1))
"""


@pytest.mark.parametrize(
    ("step", "code"),
    [
        pytest.param({}, None, id="only the rounds call it"),
        pytest.param({"behind": "print(penalty(output))"}, "OW107", id="it is called behind them"),
        pytest.param({"after": "penalty = F.mse_loss"}, "OW107", id="its name is bound anew"),
        pytest.param({"after": "print(penalty(output))"}, "OW107", id="a round calls it again"),
        pytest.param(
            {"body": 'print("""a\n    b""")\n        return F.mse_loss(o, mask)'},
            "OW107",
            id="it holds a text of two lines",
        ),
    ],
)
def test_a_round_defines_what_stands_above_its_loop(step: dict[str, str], code: str | None) -> None:
    texts = {"body": "return F.mse_loss(o, mask)", "after": "pass", "behind": "pass", **step}
    result = rewrite_source(ABOVE.format(**texts))
    assert [row.code for row in result.steps] == [code], result.text
    assert ("def penalty(" in result.text.partition("def train(")[2]) == (code is not None)
