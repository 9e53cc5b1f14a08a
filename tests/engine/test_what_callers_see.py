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
FLAG = """\
def step(x, y, *, create_graph={default}):
    loss = criterion(model(x), y)
    loss.backward(create_graph=create_graph)
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


@pytest.mark.parametrize(("default", "code"), [("True", "OW201"), ("False", None)])
def test_a_flag_that_is_on_by_default_is_on(default: str, code: str | None) -> None:
    result = rewrite_source(HEAD + FLAG.format(default=default))
    assert [step.code for step in result.steps] == [code]


CONTEXT = """\
class Context:
    def __init__(self, k):
        self.k = k

    def split(self):
        self.k = self.k * 0
        return self.k


class Net(nn.Linear):
    def weigh(self, batch):
        return batch["context"].k + 1


net = Net(4, 1)


def step(x, k):
    context = Context(k)
    batch = {{"context": context}}
    weight = {weight}
    k = context.split()
    loss = (net(x) * weight + k).mean()
    loss.backward()
"""


@pytest.mark.parametrize(
    ("weight", "code"), [("net.weigh(batch)", "OW203"), ("net.weight.mean()", None)]
)
def test_an_object_changes_after_what_reads_it(weight: str, code: str | None) -> None:
    result = rewrite_source(HEAD + CONTEXT.format(weight=weight))
    assert [step.code for step in result.steps] == [code]
