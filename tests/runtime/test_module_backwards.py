"""Backwards from some of the results of a step, and after something has been written to."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module


class Heads(nn.Module):
    """Two results, of which the second is on the way to the first."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last, self.side = nn.Linear(6, 5), nn.Linear(5, 3), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Any:
        hidden = self.first(x)
        return self.last(torch.tanh(hidden)).square().mean(), hidden, self.side(x).mean()


class Step(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Any:
        return self.model(x)


@pytest.fixture
def twins() -> tuple[Any, Any, nn.Module, nn.Module]:
    """A step that has run on ONNX Runtime, its eager twin, and their models."""
    model = Heads()
    twin = copy.deepcopy(model)
    step = ort_module(Step, model)
    for _ in range(3):
        step(torch.randn(4, 6))[0].backward()
    assert step.report()["signatures"][0]["ort_calls"] == 2
    model.zero_grad()
    return step, Step(twin), model, twin


@pytest.mark.parametrize("chosen", [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2)])
def test_only_what_a_backward_reaches_gets_a_gradient(twins: Any, chosen: tuple[int, ...]) -> None:
    step, eager, model, twin = twins
    x = torch.randn(4, 6)
    for run in (step, eager):
        results = run(x)
        sum(results[index].square().sum() for index in chosen).backward()
    for (name, mine), theirs in zip(model.named_parameters(), twin.parameters()):
        assert (mine.grad is None) == (theirs.grad is None), name
        if theirs.grad is not None:
            torch.testing.assert_close(mine.grad, theirs.grad)


def test_the_gradient_of_a_result_on_the_way_to_the_loss_is_not_made_up(twins: Any) -> None:
    step, *_ = twins
    loss, hidden, _ = step(torch.randn(4, 6))
    hidden.retain_grad()
    with pytest.raises(RuntimeError, match="needs eager"):
        loss.backward()
    loss, hidden, _ = step(torch.randn(4, 6))
    hidden.register_hook(lambda gradient: None)
    with pytest.raises(RuntimeError, match="needs eager"):
        loss.backward()


def test_a_hook_on_a_result_that_nothing_else_was_made_of_runs(twins: Any) -> None:
    step, eager, model, twin = twins
    x = torch.randn(4, 6)
    for run in (step, eager):
        _, hidden, side = run(x)
        hidden.register_hook(lambda gradient: gradient * 2)
        (hidden.sum() + side).backward()
    torch.testing.assert_close(model.first.weight.grad, twin.first.weight.grad)
    assert model.last.weight.grad is None


@pytest.mark.parametrize("name", ["argument", "weight"])
def test_writing_to_what_the_backward_reads_raises_as_it_does_eagerly(
    twins: Any, name: str
) -> None:
    for run, model in zip(twins[:2], twins[2:]):
        x = torch.randn(4, 6)
        loss = run(x)[0]
        with torch.no_grad():
            (x if name == "argument" else model.last.weight).add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_writing_to_what_the_backward_does_not_read_does_not(twins: Any) -> None:
    step, eager, model, twin = twins
    x = torch.randn(4, 6)
    for run, one in ((step, model), (eager, twin)):
        loss = run(x)[0]
        with torch.no_grad():
            one.last.bias.add_(1)
        loss.backward()
    for mine, theirs in zip(model.parameters(), twin.parameters()):
        if theirs.grad is not None:
            torch.testing.assert_close(mine.grad, theirs.grad)


class Beside(nn.Module):
    """A loss of one argument, and a result beside it of several."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, scale: Tensor, every: list[Tensor]) -> tuple[Tensor, Tensor]:
        return (self.model(x) * scale).square().mean(), torch.stack(every).mean()


def test_a_tensor_that_is_given_twice_gets_its_gradient() -> None:
    model = nn.Linear(3, 1)
    step, every = ort_module(Beside, model), [torch.rand(4, 1, requires_grad=True) for _ in "abc"]
    for _ in range(3):
        for scale in every:
            x = torch.randn(4, 3)
            found = []
            for run in (step, Beside(model)):
                run(x, scale, every)[0].backward()
                found.append([one.grad for one in every])
                for one in every:
                    one.grad = None
            for mine, theirs in zip(*found):
                assert (mine is None) == (theirs is None)
                if theirs is not None:
                    torch.testing.assert_close(mine, theirs)
    assert {row["backend"] for row in step.report()["signatures"]} == {"ort"}


@pytest.mark.filterwarnings("ignore:ortwrap")
def test_the_graphs_behind_what_the_loss_does_not_depend_on_are_left_alone() -> None:
    before, model = nn.Linear(2, 1), nn.Linear(3, 1)
    step = ort_module(Beside, model)
    for _ in range(3):
        every = [before(torch.randn(4, 2)).exp() for _ in range(3)]
        for scale in every:
            step(torch.randn(4, 3), scale, every)[0].backward()
    assert {row["backend"] for row in step.report()["signatures"]} == {"eager"}
    for _ in range(3):
        scale = before(torch.randn(4, 2)).exp()
        step(torch.randn(4, 3), scale, [torch.rand(4, 1)])[0].backward()
    assert step.report()["signatures"][-1]["backend"] == "ort"
