"""Steps that write to weights through `.data`, behind the back of torch's counts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import Twins

SMALL, LARGE = 0.01, 3.0


class Limited(nn.Module):
    """A model whose forward limits its weights, of which the first ones keep within or do not."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2)
        with torch.no_grad():
            self.linear.weight.mul_(scale)

    def forward(self, data: Tensor) -> Tensor:
        self.limit(self.linear.weight)
        return self.linear(data) - 5

    def limit(self, weight: nn.Parameter) -> None:
        raise NotImplementedError


class Renorms(Limited):
    def limit(self, weight: nn.Parameter) -> None:
        weight.data = torch.renorm(weight.data, 2, 0, 0.5)


class Clamps(Limited):
    def limit(self, weight: nn.Parameter) -> None:
        weight.data.clamp_(-0.3, 0.3)


class Assigns(Limited):
    def limit(self, weight: nn.Parameter) -> None:
        weight.data[:] = weight.data.clamp(-0.3, 0.3)


class Multiplies(Limited):
    def limit(self, weight: nn.Parameter) -> None:
        rows = weight.data.view(-1)
        rows *= 0.9


class IntoOut(Limited):
    def limit(self, weight: nn.Parameter) -> None:
        torch.clamp(weight.data, -0.3, 0.3, out=weight.data)


class Halves(Limited):
    def limit(self, weight: nn.Parameter) -> None:
        torch._foreach_mul_([weight.data], 0.5)


def square(out: Tensor, _: Any) -> Tensor:
    return out.square().mean()


@pytest.mark.parametrize("scale", [SMALL, LARGE])
@pytest.mark.parametrize("kind", Limited.__subclasses__())
def test_weights_are_what_eager_writes(kind: type[Limited], scale: float) -> None:
    twins = Twins(kind(scale), square)
    for _ in range(5):
        twins.step(torch.randn(3, 4), None, tolerance=0)
    assert twins.ran_on_ort() == 0
    assert "forward writes to parameters in place" in twins.reasons[0]


class OnlyReads(nn.Module):
    """Makes its first state as many a recurrent model does."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.Linear(4, 4)

    def forward(self, data: Tensor) -> Tensor:
        state = next(self.parameters()).data.new_zeros(3, 4)
        state += data
        return self.cell(state) * self.cell.weight.data.shape[0]


def test_data_that_is_only_read_is_no_hindrance() -> None:
    twins = Twins(OnlyReads(), square)
    for _ in range(3):
        twins.step(torch.randn(3, 4), None)
    assert twins.ran_on_ort() == 2
