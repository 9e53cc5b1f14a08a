"""What a function sees of its steps is what it saw before: fields of two steps, failures, flags."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

HEAD = (
    "import torch\nfrom torch import nn\n\nmodel = nn.Linear(4, 2)\ncriterion = nn.MSELoss()\n\n\n"
)
TWO_STEPS = """\
def compare(model: nn.Module, teacher: nn.Module, ids):
    output = model(ids, labels=ids)
    output.loss.backward()
    other = teacher(ids, labels=ids)
    other.loss.backward()
    print(output.loss, other.loss)
    return torch.equal(output.logits, other.logits)
"""
NAME_TAKEN = """\
def step(model: nn.Module, ids, loss):
    output = model(ids, labels=ids)
    output.loss.backward()
    print(output.loss, loss)
"""
TRIED = """\
def step(x, y):
    try:
        out = model(x)
        loss = criterion(out, y)
        loss.backward()
    {handler}
"""
FLAG_OF_A_STEP = """\
def step(x, y, *, create_graph={default}):
    loss = criterion(model(x), y)
    loss.backward(create_graph=create_graph)
"""
FLAG_OF_A_LOOP = """\
def train(batches, second_order={default}):
    for x, y in batches:
        loss = criterion(model(x), y)
        loss.backward(create_graph=second_order)


{call}
"""
FLAG_OF_AN_OPTIMIZER = """\
optimizer = make(model.parameters())
second_order = hasattr(optimizer, "is_second_order") and optimizer.is_second_order
for x, y in batches:
    loss = criterion(model(x), y)
    loss.backward(create_graph=second_order)
"""


def test_fields_of_two_steps_keep_names_of_their_own() -> None:
    result = rewrite_source(HEAD + TWO_STEPS)
    assert [step.status for step in result.steps] == ["rewritten"] * 2
    assert "print(loss, total_loss)" in result.text
    assert "torch.equal(logits, other_logits)" in result.text


def test_a_loss_without_a_name_takes_none_that_is_taken() -> None:
    result = rewrite_source(HEAD + NAME_TAKEN)
    assert [step.status for step in result.steps] == ["rewritten"]
    assert "print(total_loss, loss)" in result.text


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        ("except RuntimeError:\n        print(out.shape)\n        raise", "OW115"),
        ("finally:\n        print(out.shape)", "OW115"),
        ("except RuntimeError:\n        print(x.shape)\n        raise", None),
        ("except RuntimeError:\n        pass\n    else:\n        print(out.shape)", None),
    ],
)
def test_a_handler_finds_what_the_model_gave_or_the_step_is_refused(
    handler: str, code: str | None
) -> None:
    result = rewrite_source(HEAD + TRIED.format(handler=handler))
    assert [step.code for step in result.steps] == [code]


@pytest.mark.parametrize("default", ["True", "False"])
def test_a_flag_of_one_step_may_be_on_in_any_call(default: str) -> None:
    result = rewrite_source(HEAD + FLAG_OF_A_STEP.format(default=default))
    assert [step.code for step in result.steps] == ["OW201"]


@pytest.mark.parametrize(
    ("default", "call", "code"),
    [
        ("True", "", "OW201"),
        ("False", "", None),
        ("False", "train(batches, second_order=False)", None),
        ("False", "train(batches, second_order=True)", "OW201"),
        ("False", "train(batches, True)", "OW201"),
    ],
)
def test_a_flag_of_a_loop_is_on_where_a_default_or_a_caller_says_so(
    default: str, call: str, code: str | None
) -> None:
    result = rewrite_source(HEAD + FLAG_OF_A_LOOP.format(default=default, call=call))
    assert [step.code for step in result.steps] == [code]


def test_a_flag_that_the_optimizer_decides_is_left_to_the_runtime() -> None:
    result = rewrite_source(HEAD + FLAG_OF_AN_OPTIMIZER)
    assert [step.status for step in result.steps] == ["rewritten"]
