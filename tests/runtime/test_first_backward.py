"""Scripts that ask more of the first loss than a graph gives: their steps stay eager."""

from __future__ import annotations

import copy
import warnings
from typing import Any, Callable

import pytest
import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module
from ortwrap.runtime.reasons import OrtwrapWarning


class Step(nn.Module):
    """Gives what the loss was computed from beside it."""

    def __init__(self, model: nn.Sequential) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = torch.tanh(self.model[0](x))
        return self.model[1](hidden).square().mean(), hidden


def gradient_of_a_gradient(loss: Tensor, hidden: Tensor, model: nn.Module) -> None:
    slopes = torch.autograd.grad(loss, list(model.parameters()), create_graph=True)
    sum((loss, *(slope.square().sum() for slope in slopes))).backward()


def backward_with_a_graph(loss: Tensor, hidden: Tensor, model: nn.Module) -> None:
    loss.backward(create_graph=True)
    sum(one.grad.square().sum() for one in model.parameters()).backward()


def backward_twice(loss: Tensor, hidden: Tensor, model: nn.Module) -> None:
    loss.backward(retain_graph=True)
    loss.backward()


def backward_of_one_and_the_other(loss: Tensor, hidden: Tensor, model: nn.Module) -> None:
    hidden.sum().backward(retain_graph=True)
    loss.backward()


def gradient_before_the_backward(loss: Tensor, hidden: Tensor, model: nn.Module) -> None:
    torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
    loss.backward()


def grad_of_a_result_on_the_way(loss: Tensor, hidden: Tensor, model: nn.Module) -> None:
    hidden.retain_grad()
    loss.backward()
    assert hidden.grad is not None
    next(model.parameters()).grad.add_(hidden.grad.sum())


def hook_on_a_result_on_the_way(loss: Tensor, hidden: Tensor, model: nn.Module) -> None:
    hidden.register_hook(lambda gradient: gradient * 2)
    loss.backward()


def backward(loss: Tensor, hidden: Tensor, model: nn.Module) -> None:
    loss.backward()


def backward_of_both(loss: Tensor, hidden: Tensor, model: nn.Module) -> None:
    (loss / 2 + hidden.sum()).backward()


ASK_TOO_MUCH = {
    gradient_of_a_gradient: "create_graph=True",
    backward_with_a_graph: "create_graph=True",
    backward_twice: "twice",
    backward_of_one_and_the_other: "twice",
    gradient_before_the_backward: "twice",
    grad_of_a_result_on_the_way: "or its grad",
    hook_on_a_result_on_the_way: "hook on a result",
}
Update = Callable[[Tensor, Tensor, nn.Module], None]


def trained_both_ways(update: Update, inputs: Tensor) -> Any:
    """The wrapper after a step for each of the inputs; eager gave the same gradients in each."""
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 3))
    twin = copy.deepcopy(model)
    step = ort_module(Step, model)
    for x in inputs:
        for run, trained in ((step, model), (Step(twin), twin)):
            trained.zero_grad()
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", category=UserWarning, message=r"Using backward")
                update(*run(x), trained)
        for mine, theirs in zip(model.parameters(), twin.parameters()):
            torch.testing.assert_close(mine.grad, theirs.grad)
    return step


@pytest.mark.parametrize("update", ASK_TOO_MUCH, ids=lambda update: update.__name__)
def test_what_no_graph_can_serve_stays_eager_from_the_first_step_on(update: Update) -> None:
    with pytest.warns(OrtwrapWarning, match=ASK_TOO_MUCH[update]):
        step = trained_both_ways(update, torch.randn(3, 4, 6))
    rows = step.report()["signatures"]
    assert sum(row["ort_calls"] for row in rows) == 0
    (row,) = (row for row in rows if row["backend"] == "eager" and row["calls"])
    assert (row["calls"], ASK_TOO_MUCH[update] in row["reason"]) == (2, True)


@pytest.mark.parametrize("update", [backward, backward_of_both], ids=lambda one: one.__name__)
def test_one_backward_trains_on_a_graph(update: Update) -> None:
    step = trained_both_ways(update, torch.randn(3, 4, 6))
    (row,) = step.report()["signatures"]
    assert row["ort_calls"] == 2


def test_other_signatures_are_not_tried_either() -> None:
    with pytest.warns(OrtwrapWarning, match="twice"):
        step = trained_both_ways(backward_twice, torch.randn(1, 4, 6))
    with torch.autocast("cpu"):
        backward_twice(*step(torch.randn(4, 6)), step._wrapper.model)
    assert sum(row["export_seconds"] is not None for row in step.report()["signatures"]) == 1


class HandsBack(Step):
    """Returns what it was given beside the loss."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(x)[0], x


def test_an_argument_that_is_handed_back_has_a_graph_of_its_own() -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 3))
    step, weight = ort_module(HandsBack, model), torch.ones(6, requires_grad=True)
    for _ in range(3):
        loss, x = step(torch.randn(4, 6) * weight)
        loss.backward(retain_graph=True)
        x.sum().backward()
    (row,) = step.report()["signatures"]
    assert row["ort_calls"] == 2


class KeepsItsGraph(Step):
    """Mixes its state into the next call, with the graph that the state came from."""

    state = torch.zeros(4, 5)

    def kept(self, state: Tensor) -> Tensor:
        return state

    def forward(self, x: Tensor) -> Tensor:
        mixed = torch.tanh(self.model[0](x) + self.state)
        self.state = self.kept(mixed)
        return self.model[1](mixed).square().mean()


class KeepsItsState(KeepsItsGraph):
    """Mixes its state into the next call, and no graph."""

    def kept(self, state: Tensor) -> Tensor:
        return state.detach()


def ort_calls_of_states(kind: type[KeepsItsGraph]) -> int:
    """How often a graph ran in five steps that retain theirs, each as good as eager's."""
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 3))
    twin = copy.deepcopy(model)
    step, eager = ort_module(kind, model), kind(twin)
    for _ in range(5):
        x = torch.randn(4, 6)
        for run in (step, eager):
            # No weight is changed in between: eager may go back to the first step each time.
            run(x).backward(retain_graph=True)
        for mine, theirs in zip(model.parameters(), twin.parameters()):
            torch.testing.assert_close(mine.grad, theirs.grad)
    return sum(row["ort_calls"] for row in step.report()["signatures"])


def test_a_state_that_keeps_a_retained_graph_stays_eager() -> None:
    with pytest.warns(OrtwrapWarning, match="forward keeps a part of its graph"):
        assert ort_calls_of_states(KeepsItsGraph) == 0


def test_a_state_without_a_graph_trains_on_one_that_is_retained() -> None:
    assert ort_calls_of_states(KeepsItsState) > 0
