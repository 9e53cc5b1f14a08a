"""A name like that of a network is none where it holds what a network returned."""

from __future__ import annotations

import pytest

from ortwrap import rewrite_source

_STEP = """\
import torch
import torch.nn.functional as F


def train(model, batches, optimizer, settings):
    for x, y in batches:
        {run}
        loss = F.mse_loss({value}, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("run", "value"),
    [
        pytest.param("y_net = model(x)", "y_net", id="a call"),
        pytest.param("y_net = model(x).squeeze(1)", "y_net", id="a method of what a call gave"),
        pytest.param("y_net, h_rnn = model(x)", "y_net + h_rnn", id="parts of what a call gave"),
        pytest.param("(y_net, _), h = model(x)", "y_net", id="parts of a part"),
        pytest.param("y_decoder = model.decode(x)", "y_decoder", id="a method of the model"),
        pytest.param("outputs_student = model(x)", "outputs_student.logits", id="a record"),
    ],
)
def test_what_is_run_is_held_and_not_what_it_returned(run: str, value: str) -> None:
    result = rewrite_source(_STEP.format(run=run, value=value))
    assert [step.status for step in result.steps] == ["rewritten"], result.steps
    assert "ort_module(ModuleWithLoss, model)" in result.text


_BUILT = """\
import torch.nn.functional as F


def train(network, batches, optimizer, settings):
    {build}
    for x, y in batches:
        loss = F.mse_loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    "build",
    ["net = network(settings)", "net = network.clone(settings)", "net = settings.make(network)"],
)
def test_what_is_run_itself_is_a_module_whoever_made_it(build: str) -> None:
    result = rewrite_source(_BUILT.format(build=build))
    assert [step.status for step in result.steps] == ["rewritten"], result.steps
    assert "ort_module(ModuleWithLoss, net)" in result.text


_HANDED_OVER = """\
import torch.nn.functional as F


def update({name}, y, optimizer):
    loss = F.mse_loss({name}, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize("name", ["out_student", "student_output_net", "logits_teacher"])
def test_an_output_that_is_handed_over_is_no_module(name: str) -> None:
    (step,) = rewrite_source(_HANDED_OVER.format(name=name)).steps
    assert step.code == "OW101"


@pytest.mark.parametrize("value", ["-disc", "F.softplus(disc)", "torch.exp(disc)"])
def test_what_is_computed_with_is_no_module(value: str) -> None:
    text = _STEP.format(run="disc = settings.score(x)", value=f"F.relu({value})")
    (step,) = rewrite_source(text).steps
    assert step.code == "OW101"


def test_a_module_that_a_function_of_torch_saves_is_one() -> None:
    text = _STEP.format(run="torch.save(net, settings.path)", value="net.score(x)")
    (step,) = rewrite_source(text.replace("train(model,", "train(net,")).steps
    assert step.status == "rewritten", step
