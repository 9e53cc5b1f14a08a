"""Functions of autograd that a model brings along train on ONNX Runtime, by their own backward."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import Twins


class Rounded(torch.autograd.Function):
    """Rounds, and lets the gradient straight through."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.round(x * 4) / 4

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


class Reversed(torch.autograd.Function):
    """Turns the gradient around, by a factor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.factor * gradient, None


class Gated(torch.autograd.Function):
    """A gate with a second output, whose backward reads what forward saved."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        opened = torch.sigmoid(gate)
        ctx.save_for_backward(x, opened)
        return x * opened, opened

    @staticmethod
    def backward(ctx: Any, of_product: Tensor, of_gate: Tensor) -> tuple[Tensor, Tensor]:
        x, opened = ctx.saved_tensors
        return of_product * opened, (of_product * x + of_gate) * opened * (1 - opened)


def gated(x: Tensor) -> Tensor:
    product, opened = Gated.apply(x, x * 2)  # type: ignore[no-untyped-call]
    return product + opened  # type: ignore[no-any-return]


USES = {
    "straight through": Rounded.apply,
    "a gradient reversed": lambda x: Reversed.apply(x, 0.5),  # type: ignore[no-untyped-call]
    "saved tensors, two outputs": gated,
}


class Network(nn.Module):
    def __init__(self, use: Any) -> None:
        super().__init__()
        self.first, self.last, self.use = nn.Linear(8, 8), nn.Linear(8, 4), use

    def forward(self, data: Tensor) -> Tensor:
        return self.last(self.use(self.first(data)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", USES)
def test_a_function_of_the_models_own_trains_on_ort(name: str) -> None:
    twins = Twins(Network(USES[name]), nn.CrossEntropyLoss())
    for size in (6, 6, 3, 5, 6):
        twins.step(torch.randn(size, 8), torch.randint(0, 4, (size,)))
    assert twins.ran_on_ort() == 3
