"""What ONNX Runtime has no kernels for runs eagerly, and the warning has the line."""

from __future__ import annotations

from typing import Callable

import pytest
import torch
from torch import Tensor, nn
from twins import Twins

from ortwrap.runtime.reasons import OrtwrapWarning


class Mean(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x).float().square().mean()


class Weighted(nn.Module):
    """What a test makes of a weight and a batch."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(4) + 0.1)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, self.weight)


def in_bfloat16(x: Tensor, weight: Tensor) -> Tensor:
    return x.bfloat16() @ weight.bfloat16()


def of_frequencies(x: Tensor, weight: Tensor) -> Tensor:
    return torch.fft.irfft(torch.fft.rfft(x @ weight) * 2, n=4)


def of_complex_numbers(x: Tensor, weight: Tensor) -> Tensor:
    return torch.complex(x @ weight, x).abs()


def of_sparse_weights(x: Tensor, weight: Tensor) -> Tensor:
    return torch.sparse.mm(torch.eye(4).to_sparse(), weight) @ x.T


LACKING = {
    "bfloat16": in_bfloat16,
    "complex numbers": of_frequencies,
    "complex": of_complex_numbers,
    "sparse tensors": of_sparse_weights,
}


@pytest.mark.parametrize("kind", LACKING)
def test_a_kind_without_kernels_runs_eagerly_and_is_named_with_its_line(kind: str) -> None:
    twins = Twins(Weighted(LACKING[kind]), kind=Mean)
    with pytest.warns(OrtwrapWarning, match=rf"{kind}.*test_module_lacking\.py:\d+\)"):
        twins.step(torch.randn(5, 4))
    twins.step(torch.randn(5, 4))
    assert twins.backends == ["eager"]


def test_gradients_that_are_sparse_stay_sparse() -> None:
    model = nn.Sequential(nn.Embedding(7, 4, sparse=True), nn.Linear(4, 2))
    step = Twins(model, kind=Mean).wrapper
    for _ in range(3):
        model.zero_grad()
        step(torch.randint(0, 7, (5,))).backward()
        assert model[0].weight.grad.is_sparse
    assert {row["backend"] for row in step.report()["signatures"]} == {"eager"}
