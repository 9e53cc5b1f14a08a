"""A `del` keeps the names that are still bound where it stands, and loses those that are not."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = """\
import torch
from torch import nn

model = nn.Linear(4, 2)
criterion = nn.MSELoss()


"""
STEP = "out = model(x)\n{0}loss = criterion(out, y)\n{0}loss.backward()\n"


def _rewritten(body: str) -> str:
    result = rewrite_source(f"{HEAD}def train(loader, x, y):\n{body}")
    assert [step.status for step in result.steps] == ["rewritten"], result.steps
    return result.text


@pytest.mark.parametrize(
    ("body", "left"),
    [
        pytest.param("    {step}    del out, loss\n", ["del loss"], id="after the step"),
        pytest.param("    {step}    del out\n    print(loss)\n", [], id="of the only name"),
        pytest.param(
            "    with torch.no_grad():\n        out = model(x)\n        del out\n    {step}",
            ["del out"],
            id="before the step",
        ),
        pytest.param(
            "    {step}    out = model(x)\n    del out\n", ["del out"], id="of a later value"
        ),
        pytest.param(
            "    {step}    if len(x):\n        out = 1\n    del out, loss\n",
            ["del loss"],
            id="of a value that one branch binds anew",
        ),
        pytest.param(
            "    for x, y in loader:\n        if x is None:\n            del out\n"
            "            continue\n        {inner}",
            [],
            id="in the next round",
        ),
        pytest.param(
            "    try:\n        {inner}    except RuntimeError:\n        del out\n        raise\n",
            [],
            id="in a handler",
        ),
        pytest.param(
            "    out = 0\n    {step}    del out\n    del x\n", ["del x"], id="bound before as well"
        ),
    ],
)
def test_what_is_left_of_a_deletion(body: str, left: list[str]) -> None:
    text = _rewritten(body.format(step=STEP.format(" " * 4), inner=STEP.format(" " * 8)))
    lines = [line.strip() for line in text.splitlines()]
    assert [line for line in lines if line.startswith("del ")] == left


def test_a_deletion_inside_of_the_slice_goes_into_forward() -> None:
    text = _rewritten(
        "    out = model(x)\n    if len(loader):\n        scale = out.mean()\n"
        "        loss = criterion(out / scale, y)\n        del scale\n    else:\n"
        "        loss = criterion(out, y)\n    loss.backward()\n"
    )
    assert text.index("del scale") < text.index("def train")


def test_a_name_that_others_may_read_is_not_deleted_in_forward() -> None:
    script = (
        f"{HEAD}def train(x, y, scale):\n    out = model(x)\n    if len(x):\n"
        "        loss = criterion(out / scale, y)\n        del scale\n    else:\n"
        "        loss = criterion(out, y)\n    loss.backward()\n"
    )
    (step,) = rewrite_source(script).steps
    assert (step.code, "del scale" in step.message) == ("OW105", True)


MAKES = "    own = nn.Linear(4, 2)\n"
OWN_STEP = "{0}loss = criterion(own(x), y)\n{0}loss.backward()\n"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        pytest.param(
            f"{MAKES}{{step}}    del own, loss\n", "del own, loss, own_with_loss", id="behind it"
        ),
        pytest.param(
            f"{MAKES}    for x, y in loader:\n{{inner}}        if x is None:\n"
            "            del own\n            return\n",
            "del own, own_with_loss",
            id="on one path",
        ),
        pytest.param(
            f"{MAKES}    try:\n    {MAKES}{{inner}}    finally:\n        del own\n",
            "own_with_loss = None\ndel own",
            id="where no wrapper may have been made",
        ),
        pytest.param(
            f"{MAKES}{{step}}    print(x); del own\n",
            "print(x); del own, own_with_loss",
            id="on a line with others",
        ),
        pytest.param(
            f"{MAKES}{{step}}    own = None\n", "own = own_with_loss = None", id="as None"
        ),
        pytest.param(
            f"    own = None\n{MAKES}{{step}}", "own = None", id="not before there is a model"
        ),
        pytest.param(
            f"    for fold in loader:\n        own = None\n    {MAKES}{{inner}}",
            "own = own_with_loss = None",
            id="before the next model",
        ),
    ],
)
def test_a_wrapper_goes_with_its_model(body: str, line: str) -> None:
    step, inner = OWN_STEP.format(" " * 4), OWN_STEP.format(" " * 8)
    text = _rewritten(body.format(step=step, inner=inner))
    compile(text, "patched", "exec")
    lines = [line.strip() for line in text.splitlines()]
    wanted = line.splitlines()
    starts = [index for index, line in enumerate(lines) if line == wanted[0]]
    assert [lines[at : at + len(wanted)] for at in starts] == [wanted], text
