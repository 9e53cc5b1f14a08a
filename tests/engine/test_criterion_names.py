"""A name that begins like that of a criterion is none where a number or a tensor has it."""

from __future__ import annotations

import pytest

from ortwrap import rewrite_source

_STEP = """\
import torch.nn.functional as F


def train(model, batches, optimizer, {name}):
    for x, y in batches:
        out = model(x)
        loss = {loss}
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("loss_factor", "loss_factor * F.mse_loss(out, y)"),
        ("crit_scale", "F.mse_loss(out, y) / crit_scale"),
        ("crit_target", "F.mse_loss(out, crit_target)"),
        ("loss_fn_weights", "F.cross_entropy(out, y, weight=loss_fn_weights)"),
        ("objective", "objective - F.mse_loss(out, y)"),
    ],
)
def test_what_is_no_criterion_is_an_argument_of_the_call(name: str, loss: str) -> None:
    result = rewrite_source(_STEP.format(name=name, loss=loss))
    assert [step.status for step in result.steps] == ["rewritten"], result.steps
    assert "ort_module(ModuleWithLoss, model)" in result.text


@pytest.mark.parametrize(
    "name", ["loss_fn", "loss_fn_ce", "loss_function", "loss_funcs", "crit", "criterion_real"]
)
def test_what_computes_a_loss_is_held(name: str) -> None:
    loss = f"sum(f(out, y) for f in {name})" if name.endswith("s") else f"{name}(out, y)"
    result = rewrite_source(_STEP.format(name=name, loss=loss))
    assert [step.status for step in result.steps] == ["rewritten"], result.steps
    assert f"ort_module(ModuleWithLoss, model, {name})" in result.text
