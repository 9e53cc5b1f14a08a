"""What `torch.distributions` refuses in eager it refuses inside of a graph."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal
from twins import Twins

from ortwrap.runtime import ort_module


class Policy(nn.Module):
    """A Gaussian policy's loss. torch.compile turns checks off that nobody asks for."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, states: Tensor, actions: Tensor, scale: Tensor) -> Tensor:
        drawn = Normal(self.model(states), scale, validate_args=True)
        return -drawn.log_prob(actions).sum(-1).mean() - 0.01 * drawn.entropy().mean()


class Classes(nn.Module):
    """A categorical policy's loss."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, states: Tensor, actions: Tensor) -> Tensor:
        chosen = Categorical(logits=self.model(states), validate_args=True)
        return -chosen.log_prob(actions).mean()


def test_a_policy_trains_as_eagerly() -> None:
    twins = Twins(nn.Linear(4, 2), kind=Policy)
    for _ in range(4):
        twins.step(torch.randn(6, 4), torch.randn(6, 2), torch.rand(6, 2) + 0.5)
    assert twins.backends == ["ort"]
    assert twins.ran_on_ort() == 3


@pytest.mark.filterwarnings("ignore:ortwrap")
def test_what_eager_refuses_is_refused() -> None:
    step = ort_module(Policy, nn.Linear(4, 2))
    states, actions, scale = torch.randn(6, 4), torch.randn(6, 2), torch.ones(6, 2)
    for _ in range(3):
        step(states, actions, scale).backward()
    with pytest.raises(ValueError, match="constraint"):
        step(states, actions, -scale)
    with pytest.raises(ValueError, match="support"):
        step(states, torch.full_like(actions, float("nan")), scale)


@pytest.mark.filterwarnings("ignore:ortwrap")
def test_a_value_that_cannot_be_drawn_is_refused() -> None:
    step = ort_module(Classes, nn.Linear(4, 3))
    states = torch.randn(6, 4)
    for _ in range(3):
        step(states, torch.randint(3, (6,))).backward()
    with pytest.raises(ValueError, match="support"):
        step(states, torch.full((6,), 3))
