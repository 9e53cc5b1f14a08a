"""What names tell, where nothing else does: of criteria, of numbers beside them, of networks."""

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


@pytest.mark.parametrize("optimizer", ["optimizer_G", "G_opt", "optG", "g_optimizer", "opt_g"])
def test_the_optimizer_of_a_letter_tells_of_a_network(optimizer: str) -> None:
    text = _STEP.format(name=f"G, {optimizer}", loss="F.mse_loss(G(x), y)")
    text = text.replace("model, ", "").replace("        out = model(x)\n", "")
    result = rewrite_source(text.replace("optimizer.step", f"{optimizer}.step"))
    assert [step.status for step in result.steps] == ["rewritten"], result.steps
    assert "ort_module(ModuleWithLoss, G)" in result.text


@pytest.mark.parametrize("optimizer", ["optimizers", "goptimizer", "adopt"])
def test_a_letter_that_belongs_to_a_word_tells_of_none(optimizer: str) -> None:
    text = _STEP.format(name=f"G, S, A, {optimizer}", loss="F.mse_loss(G(x) + S(x) + A(x), y)")
    text = text.replace("model, ", "").replace("        out = model(x)\n", "")
    (step,) = rewrite_source(text.replace("optimizer.step", f"{optimizer}.step")).steps
    assert step.code == "OW101"
