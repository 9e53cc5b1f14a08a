"""What a backward does besides computing gradients, and what an attempt must not do again."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from twins import Twins

from ortwrap.runtime import OrtwrapWarning, ort_module


class Loss(nn.Module):
    """A step of a model that returns its loss."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor) -> Any:
        return self.model(data)


def _train(twins: Twins, steps: int = 4) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OrtwrapWarning)
        for _ in range(steps):
            twins.step(torch.randn(6, 8))


class RunAgain(nn.Module):
    """A checkpoint in which each batch is counted, by BatchNorm or by the model itself."""

    def __init__(self, norm: bool) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, 8), nn.Linear(8, 4)
        self.norm = nn.BatchNorm1d(8) if norm else None
        self.register_buffer("batches", torch.zeros(()))

    def tail(self, hidden: Tensor) -> Tensor:
        if self.norm is None:
            self.batches += 1
        else:
            hidden = self.norm(hidden)
        scores: Tensor = self.last(torch.tanh(hidden))
        return scores

    def forward(self, data: Tensor) -> Tensor:
        scores: Tensor = checkpoint(self.tail, self.first(data), use_reentrant=False)
        return scores.square().mean()


@pytest.mark.parametrize("norm", [False, True])
def test_what_a_checkpoint_counts_twice_is_counted_twice(norm: bool) -> None:
    twins = Twins(RunAgain(norm), kind=Loss)
    _train(twins)
    assert all("backward changes" in reason for reason in twins.reasons)
    assert twins.ran_on_ort() == 0


class Listens(nn.Linear):
    """Collects the norms of the gradients of what it computes."""

    kept: Any = None

    def __init__(self, how: str) -> None:
        super().__init__(8, 4)
        self.how, self.norms = how, list[float]()

    def forward(self, data: Tensor) -> Tensor:
        hidden = super().forward(data)
        if self.how == "hook":
            hidden.register_hook(lambda gradient: self.norms.append(gradient.norm().item()))
        else:
            hidden.retain_grad()
            self.kept = [hidden]
        return hidden.square().mean()


@pytest.mark.parametrize("how", ["hook", "grad"])
def test_gradients_inside_of_forward_are_heard_of_once(how: str) -> None:
    twins = Twins(Listens(how), kind=Loss)
    for _ in range(4):
        _train(twins, 1)
        mine, theirs = (
            one.norms if how == "hook" else one.kept[0].grad
            for one in (twins.model, twins.reference)
        )
        torch.testing.assert_close(mine, theirs)
    assert all("forward calls" in reason for reason in twins.reasons)


NORMS: list[float] = []


class Noted(torch.autograd.Function):
    """Its backward counts and collects."""

    calls = 0

    @staticmethod
    def forward(ctx: Any, data: Tensor) -> Tensor:
        return data.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        Noted.calls += 1
        NORMS.append(gradient.norm().item())
        return gradient


class UsesNoted(nn.Linear):
    def forward(self, data: Tensor) -> Tensor:
        noted: Tensor = Noted.apply(super().forward(data))  # type: ignore[no-untyped-call]
        return noted.square().mean()


def test_what_the_backward_of_a_function_keeps_is_kept_once() -> None:
    twins = Twins(UsesNoted(8, 4), kind=Loss)
    Noted.calls = 0
    NORMS.clear()
    _train(twins)
    assert Noted.calls == len(NORMS) == 8
    assert NORMS[::2] == pytest.approx(NORMS[1::2])


class Unset(nn.Linear):
    """Keeps a buffer that nothing has been put in yet."""

    def __init__(self) -> None:
        super().__init__(8, 4)
        self.register_buffer("mean", torch.full((4,), float("nan")))

    def forward(self, data: Tensor) -> Tensor:
        return super().forward(data).square().mean()


def test_a_buffer_that_is_not_a_number_has_not_changed() -> None:
    model = Unset()
    step = ort_module(Loss, model)
    for _ in range(3):
        step(torch.randn(6, 8)).backward()
    assert step.report()["signatures"][0]["ort_calls"] == 2
