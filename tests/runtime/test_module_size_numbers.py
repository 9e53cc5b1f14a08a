"""Numbers that a model of float64 computes of sizes: in double, of the dtype of what they meet."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from twins import Twins

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")


def _in_place(y: Tensor) -> Tensor:
    share = 1 / y.shape[0]
    share *= 3
    return (y * y).float().mean() * share


IN_FLOAT: dict[str, Callable[[Tensor], Tensor]] = {
    "times a share": lambda y: (y * y).float().mean() * (1 / y.shape[0]),
    "by a root": lambda y: (y * y).float().sum() / y.shape[0] ** 0.5,
    "a number of a number": lambda y: (y * y).float().mean() * (1 - 0.9 / y.shape[0]),
    "plus a share": lambda y: (y * y).float().mean() + 1 / y.shape[0],
    "by a size and a little": lambda y: (y * y).float().sum() / (y.shape[0] + 1e-8),
    "in place": _in_place,
}

IN_DOUBLE: dict[str, Callable[[Tensor], Tensor]] = {
    "times a share": lambda y: (y * y).mean() * (1 / y.shape[0]),
    "by a number of elements": lambda y: (y * y).sum() * (1 / y.numel()),
    "times a share and more": lambda y: (y * y).mean() * (1 - 0.9 / y.shape[0]) ** 2,
    "times a tenth of a size": lambda y: (y * y).mean() * (y.shape[0] * 0.1),
    "a power of a size": lambda y: (y * y).mean() * 0.9 ** y.shape[0],
    "by a size and a little": lambda y: (y * y).sum() / (y.shape[0] + 1e-8),
    "a loss in float as well": lambda y: (y.float().mean() + (y * y).mean()) * (1 / y.shape[0]),
    "a tensor of a share": lambda y: (y * y).mean() * torch.tensor(1 / y.shape[0]),
    "a count times a share": lambda y: y.mean() * ((y > 0).sum() * (1 / y.shape[0])),
    "a share where it is": lambda y: (y * torch.where(y > 0, 1 / y.shape[0], 0.5) * y).mean(),
}


class OfNumbers(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 6)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.linear(x))


class OfIndices(OfNumbers):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__(function)
        self.linear = nn.Embedding(10, 6)


def _trained(model: nn.Module, batches: list[Tensor], tolerance: float) -> Twins:
    twins = Twins(model.double(), lambda loss, _: loss)
    for batch in batches:
        twins.step(batch, None, tolerance=tolerance)
    return twins


def _noise() -> list[Tensor]:
    return [torch.randn(size, 4, dtype=torch.float64) for size in (7, 5, 11, 3)]


def _indices() -> list[Tensor]:
    return [torch.randint(10, (size,)) for size in (7, 5, 11, 3)]


@pytest.mark.parametrize("function", IN_FLOAT.values(), ids=IN_FLOAT)
def test_a_loss_in_float_stays_in_float(function: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    twins = _trained(OfNumbers(function), _noise(), 1e-6)
    assert twins.backends == ["ort"], twins.reasons


@pytest.mark.parametrize("function", IN_DOUBLE.values(), ids=IN_DOUBLE)
def test_numbers_of_sizes_are_in_double(function: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    twins = _trained(OfNumbers(function), _noise(), 1e-12)
    assert twins.backends == ["ort"], twins.reasons


@pytest.mark.parametrize("function", IN_DOUBLE.values(), ids=IN_DOUBLE)
def test_a_model_may_be_in_double_whose_inputs_are_indices(
    function: Callable[[Tensor], Tensor],
) -> None:
    torch.manual_seed(0)
    twins = _trained(OfIndices(function), _indices(), 1e-12)
    assert twins.backends == ["ort"], twins.reasons
