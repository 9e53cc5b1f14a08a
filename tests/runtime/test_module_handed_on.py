"""What a step is given or holds, and hands back or changes: the script has the same objects."""

from __future__ import annotations

import warnings
from typing import Any, Callable

import pytest
import torch
from torch import Tensor, nn
from twins import Twins

from ortwrap.runtime import OrtwrapWarning, ort_module


class Step(nn.Module):
    """A step of a model that returns its loss, alone or first."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *args: Any) -> Any:
        return self.model(*args)


class Centered(nn.Module):
    """Moves a center in one of two ways, and hands it back, or a parameter."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.linear, self.how = nn.Linear(8, 4), how
        self.scale = nn.Parameter(torch.ones(4))
        self.register_buffer("center", torch.zeros(4))

    def forward(self, data: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.linear(data) * self.scale
        with torch.no_grad():
            if self.how == "written":
                self.center.mul_(0.9).add_(scores.mean(0), alpha=0.1)
            elif self.how == "replaced":
                self.center = 0.9 * self.center + 0.1 * scores.mean(0)
        loss = (scores - self.center).square().mean()
        return loss, self.scale if self.how == "parameter" else self.center


@pytest.mark.parametrize("how", ["written", "replaced", "parameter"])
def test_a_buffer_or_parameter_that_is_handed_back_is_itself(how: str) -> None:
    twins = Twins(Centered(how), kind=Step)
    collected: list[Tensor] = []
    expected: list[Tensor] = []
    for _ in range(4):
        data = torch.randn(6, 8)
        collected.append(twins.step(data)[1])
        expected.append(
            twins.reference.scale if how == "parameter" else twins.reference.center.clone()
        )
        assert collected[-1] is (twins.model.scale if how == "parameter" else twins.model.center)
    if how == "written":
        expected = [twins.reference.center] * 4
    # Those of earlier steps are what they are in eager by now.
    torch.testing.assert_close(collected, expected, rtol=1e-5, atol=1e-6)
    assert twins.ran_on_ort() == 3


class Clamping(nn.Linear):
    """Limits its argument, behind torch's back."""

    def forward(self, data: Tensor) -> Tensor:
        data.data.clamp_(-3, 3)
        return super().forward(data).square().mean()


@pytest.mark.parametrize("first", [1.0, 100.0], ids=["later", "at once"])
def test_an_argument_that_is_written_to_through_its_data_is_changed(first: float) -> None:
    step = ort_module(Step, Clamping(8, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OrtwrapWarning)
        for factor in (first, 1.0, 100.0, 100.0):
            data = torch.rand(6, 8) * factor
            expected = data.clamp(-3, 3)
            step(data).backward()
            assert torch.equal(data, expected)


class Averaged(nn.Module):
    """Keeps an average in a buffer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))

    def forward(self, data: Tensor) -> Tensor:
        with torch.no_grad():
            self.mean.mul_(0.9).add_(data.mean(0), alpha=0.1)
        return data - self.mean


class WithPart(nn.Module):
    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part, self.linear = nn.Sequential(part), nn.Linear(8, 4)

    def forward(self, data: Tensor) -> Tensor:
        scores: Tensor = self.linear(self.part(data))
        return scores.square().mean()


PARTS: dict[str, Callable[[], nn.Module]] = {
    "of the user's": Averaged,
    "of torch": lambda: nn.BatchNorm1d(8),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_with_a_state_may_go_and_come_back(name: str) -> None:
    twins = Twins(WithPart(PARTS[name]()), kind=Step)
    parts: list[nn.Module] = []
    for turn in range(8):
        for model in (twins.model, twins.reference):
            if turn == 3:
                parts.append(model.part)
                model.part = nn.Identity()
            elif turn == 6:
                model.part = parts.pop(0)
        twins.step(torch.randn(6, 8))
    assert twins.ran_on_ort() == 6
    assert set(twins.backends) == {"ort"}
