"""Branches on values of the batch: asked before the call, or refused where only forward could."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source

HEAD = (
    "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n"
    "model = nn.Linear(4, 2)\n"
)
TRAIN = (
    "for x, y in []:\n    out = model(x)\n    loss = F.mse_loss(out, y)\n"
    "    if {test}:\n        loss = loss + out.mean()\n    loss.backward()\n"
)


@pytest.mark.parametrize(
    ("test", "given"),
    [
        ("(y > 0).any()", "bool((y > 0).any())"),
        ("torch.isnan(y).all()", "bool(torch.isnan(y).all())"),
        ("not torch.any(y > 0)", "bool(torch.any(y > 0))"),
        ("y.max().item() > 3", "y.max().item() > 3"),
        ("noisy and y.sum() > 3", "bool(y.sum() > 3) if noisy else None"),
    ],
)
def test_what_the_batch_tells_is_asked_before_the_call(test: str, given: str) -> None:
    result = rewrite_source(HEAD + "noisy = bool(input())\n" + TRAIN.format(test=test))
    assert f", {given})\n" in result.text


def test_a_count_of_the_batch_is_handed_over_as_a_truth_value() -> None:
    text = TRAIN.format(test="count == 0").replace("    out =", "    count = y.sum()\n    out =")
    result = rewrite_source(HEAD + text)
    assert "loss = model_with_loss(x, y, bool(count == 0))\n" in result.text


def test_a_mask_that_the_model_may_have_put_into_its_batch_is_asked_for_behind_it() -> None:
    text = TRAIN.format(test='x["mask"].any()').replace("(out, y)", '(out, x["y"])')
    result = rewrite_source(HEAD + text)
    assert 'if x["mask"].any():\n' in result.text


MASKED = (
    "def masked_loss(out, y):\n    mask = y > 0\n    if {test}:\n        {body}\n"
    "    return ((out - y)[mask] ** 2).mean()\n\n\n"
)
CALL = "for x, y in []:\n    out = model(x)\n    loss = masked_loss(out, y)\n    loss.backward()\n"


def test_a_function_that_asks_is_refused_by_its_line() -> None:
    text = MASKED.format(test="mask.sum() == 0", body="return out.sum() * 0")
    (step,) = rewrite_source(HEAD + text + CALL).steps
    assert step.code == "OW305"
    assert "`mask.sum() == 0` in `masked_loss` decides by values" in step.message
    assert step.message.endswith("(line 8)")


@pytest.mark.parametrize(
    ("test", "body"),
    [
        pytest.param("mask.sum() == 0", "raise ValueError('nothing to learn')", id="it raises"),
        pytest.param("y.dim() == 1", "mask = mask[None]", id="a shape"),
        pytest.param("y.sum().is_cuda", "mask = mask.cuda()", id="where a tensor is"),
        pytest.param("y.sum().dtype == out.dtype", "mask = mask & mask", id="a type"),
        pytest.param("CAREFUL and mask.any()", "mask = mask & mask", id="an option first"),
    ],
)
def test_a_function_that_may_be_replayed(test: str, body: str) -> None:
    text = "CAREFUL = False\n" + MASKED.format(test=test, body=body) + CALL
    (step,) = rewrite_source(HEAD + text).steps
    assert step.status == "rewritten"


@pytest.mark.parametrize("test", ["y.sum().data > 0", "y.sum() in (0, 1)"])
def test_a_value_asked_for_in_another_way_is_one(test: str) -> None:
    text = MASKED.format(test=test, body="return out.sum() * 0")
    (step,) = rewrite_source(HEAD + text + CALL).steps
    assert step.code == "OW305"


def test_a_function_of_another_file(tmp_path: Path) -> None:
    text = MASKED.format(test="mask.sum() == 0", body="return out.sum() * 0")
    (tmp_path / "losses.py").write_text(text)
    script = f"from losses import masked_loss\n{HEAD}{CALL}"
    (step,) = rewrite_beside(tmp_path / "train.py", script).steps
    assert step.code == "OW305"
    assert "`mask.sum() == 0` in `masked_loss` decides by values" in step.message
    assert "(losses.py:3)" in step.message


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another file"])
def test_a_criterion_that_asks(elsewhere: bool, tmp_path: Path) -> None:
    inside = MASKED.format(test="mask.sum() == 0", body="return out.sum() * 0")
    inside = inside.replace("masked_loss(out", "forward(self, out").rstrip().replace("\n", "\n    ")
    made = f"from torch import nn\n\n\nclass MaskedLoss(nn.Module):\n    {inside}\n\n\n"
    (tmp_path / "losses.py").write_text(made)
    given = "from losses import MaskedLoss\n" if elsewhere else made
    script = f"{given}{HEAD}masked_loss = MaskedLoss()\n{CALL}"
    (step,) = rewrite_beside(tmp_path / "train.py", script).steps
    assert step.code == "OW305"
    assert "`mask.sum() == 0` in `masked_loss` decides by values" in step.message


def test_a_function_that_asks_of_the_batch_alone_runs_before_the_call() -> None:
    text = (
        "def weights(y):\n    if (y > 0).any():\n        return y.abs()\n    return y + 1\n\n\n"
        "for x, y in []:\n    out = model(x)\n    loss = (out * weights(y)).mean()\n"
        "    loss.backward()\n"
    )
    result = rewrite_source(HEAD + text)
    assert "loss = model_with_loss(x, weights(y))\n" in result.text


@pytest.mark.parametrize("like", ["y.type_as(out)", "y.to(out.dtype)", "y.expand(out.size())"])
def test_labels_of_the_kind_of_an_output_are_not_what_the_model_computed(like: str) -> None:
    text = (
        f"for x, y in []:\n    out = model(x)\n    target = {like}\n"
        "    if (target > 0).any():\n        loss = F.mse_loss(out, target)\n"
        "    else:\n        loss = out.mean()\n    loss.backward()\n"
    )
    (step,) = rewrite_source(HEAD + text).steps
    assert step.code == "OW305"
    assert "decides by values that the step computes" in step.message
