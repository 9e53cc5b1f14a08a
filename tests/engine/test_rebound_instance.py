"""Where a method gives `self` another object, its attributes are those of that object."""

from __future__ import annotations

from ortwrap.engine import rewrite_source

SOLVER = """\
from torch import nn


class Solver:
    def __init__(self, net: nn.Module, partner, optimizer):
        self.net, self.partner, self.optimizer = net, partner, optimizer
        self.criterion = nn.MSELoss()

    def step(self, x, y):
        {first}
        output = self.net(x)
        {between}
        loss = self.criterion(output, y)
        loss.backward()
        self.optimizer.step()
"""


def test_the_wrapper_holds_what_the_other_object_has() -> None:
    result = rewrite_source(SOLVER.format(first="self = self.partner", between="pass"))
    assert result.status == "rewritten", result.steps
    rebound, made = map(result.text.index, ("self = self.partner", "= ort_module("))
    assert rebound < made


def test_a_loss_by_the_criterion_of_another_object_stays_where_it_is() -> None:
    result = rewrite_source(SOLVER.format(first="pass", between="self = self.partner"))
    assert [step.code for step in result.steps] == ["OW203"]


def test_an_instance_that_the_loss_itself_replaces_stays_one() -> None:
    text = SOLVER.replace("loss = self.criterion(output, y)", "self = self.criterion(output, y)")
    text = text.replace("loss.backward()", "self.loss.backward()")
    result = rewrite_source(text.format(first="pass", between="pass"))
    assert [step.code for step in result.steps] == ["OW105"]
