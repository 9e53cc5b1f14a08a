"""Where float64 is torch's default, what is made without a dtype is of it on ONNX Runtime too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn
from twins import Twins

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")


@pytest.fixture(autouse=True)
def _float64_is_the_default() -> Iterator[None]:
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(default)


def _assigned(x: Tensor) -> Tensor:
    result = torch.zeros(x.shape[0], 8)
    result[:, 1:7] = x
    return result


MADE: dict[str, Callable[[Tensor], Tensor]] = {
    "zeros": _assigned,
    "ones": lambda x: x.t() @ torch.ones(x.shape[0], 2) / 3,
    "full": lambda x: x * torch.full((x.shape[0], 6), 1 / 3),
    "eye": lambda x: x.t() @ torch.eye(x.shape[0]) / 3,
    "eye of two sizes": lambda x: x.t() @ torch.eye(x.shape[0], 3) / 3,
    "empty": lambda x: x * torch.empty(x.shape[0], 6).fill_(1 / 3),
    "arange": lambda x: x * torch.arange(0.0, 0.6, 0.1),
    "linspace": lambda x: x * torch.linspace(0, 1 / 3, 6),
    "a tensor of a number": lambda x: x * torch.tensor(1 / 3),
    "a quotient of integers": lambda x: x * (torch.arange(6) / 3),
}


class Applied(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 6)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.linear(x))


@pytest.mark.parametrize("function", MADE.values(), ids=MADE)
def test_what_is_made_without_a_dtype_is_of_the_default(
    function: Callable[[Tensor], Tensor],
) -> None:
    twins = Twins(Applied(function), lambda y, _: (y * y + y).mean())
    for size in (4, 5, 3):
        twins.step(torch.randn(size, 4), None, tolerance=1e-12)
    assert twins.backends == ["ort"], twins.reasons
