"""Dropout by our kernel: the masks that torch draws, and nothing of torch's generator left over."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins, tensors

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")

from ortwrap.runtime import backend
from ortwrap.runtime.operators.fast_dropout import DROPOUT

pytestmark = pytest.mark.skipif(backend.unavailable() is not None, reason="no ORTModule here")

SIZES = [(1,), (0, 3), (311,), (312,), (313,), (2, 1000), (3, 4, 5, 6)]


def dropped(x: Tensor, p: float, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
    return torch.ops.ortwrap.dropout(x, before, torch.tensor(1 - p, dtype=torch.float64), None)


def test_the_kernel_draws_as_this_torch_does() -> None:
    assert torch.ops.ortwrap.dropout_is_fast()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("p", [0.1, 0.5, 1 / 3, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("drawn", [0, 1, 624, 1001])
def test_masks_and_the_generator_are_torchs(
    size: tuple[int, ...], p: float, dtype: torch.dtype, drawn: int
) -> None:
    x = torch.randn(size, dtype=dtype)
    torch.manual_seed(drawn)
    # What was drawn before may end in the middle of a pair of numbers.
    torch.rand(drawn)
    state = torch.get_rng_state()
    expected = torch.dropout(x, p, True)
    behind = torch.get_rng_state()
    torch.set_rng_state(state)
    result, noise = dropped(x, p)
    assert torch.equal(result, expected)
    assert torch.equal(x * noise, expected)
    assert torch.equal(torch.get_rng_state(), behind)


def test_infinite_and_missing_numbers_are_treated_as_torch_treats_them() -> None:
    x = torch.tensor([float("inf"), float("nan"), -0.0, 1e38] * 50)
    torch.manual_seed(3)
    expected = torch.dropout(x, 0.4, True)
    torch.manual_seed(3)
    torch.testing.assert_close(dropped(x, 0.4)[0], expected, rtol=0, atol=0, equal_nan=True)


def test_what_keeps_all_draws_nothing() -> None:
    state = torch.get_rng_state()
    x = torch.randn(9)
    torch.set_rng_state(state)
    result, noise = dropped(x, 0.0)
    assert torch.equal(result, x)
    assert torch.equal(noise, torch.ones(9))
    assert torch.equal(torch.get_rng_state(), state)


class Dropping(nn.Module):
    """Several dropouts behind one another, one of them in a branch that is added."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 40), nn.Linear(40, 3)
        self.drop = nn.Dropout(p)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.drop(self.first(self.drop(x)).relu())
        return self.last(hidden + F.dropout(hidden, 0.3, self.training))


class Turned(Dropping):
    """The masks are drawn in the order of a memory that is transposed."""

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.drop(self.first(x).t()).t())


@pytest.mark.parametrize("p", [0.1, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_model_trains_with_eagers_masks(p: float, dtype: torch.dtype) -> None:
    twins = Twins(Dropping(p).to(dtype), F.mse_loss)
    for rows in (4, 7, 4, 2):
        twins.step(torch.randn(rows, 6, dtype=dtype), torch.randn(rows, 3, dtype=dtype))
    assert set(twins.backends) == {"ort"}
    # The first is given a batch, through which nothing is trained.
    assert twins.calls_of(DROPOUT) == 2


def test_gradients_reach_an_input_that_wants_them() -> None:
    twins = Twins(Dropping(0.2), F.mse_loss)
    for _ in range(3):
        twins.step(torch.randn(4, 6, requires_grad=True), torch.randn(4, 3))
    assert set(twins.backends) == {"ort"}
    assert twins.calls_of(DROPOUT) == 3


def test_a_transposed_memory() -> None:
    twins = Twins(Turned(0.5), F.mse_loss)
    for rows in (5, 3, 5):
        twins.step(torch.randn(rows, 6), torch.randn(rows, 3))
    assert set(twins.backends) == {"ort"}
    assert twins.calls_of(DROPOUT) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_masks_are_drawn_along_the_memory(order: tuple[int, ...], dtype: torch.dtype) -> None:
    x = torch.randn(3, 4, 5, dtype=dtype).permute(order)
    lies = sorted(range(3), key=lambda axis: -x.stride(axis))
    torch.manual_seed(5)
    expected = torch.dropout(x, 0.4, True)
    torch.manual_seed(5)
    keep = torch.tensor(0.6, dtype=torch.float64)
    result, noise = torch.ops.ortwrap.dropout(x.contiguous(), None, keep, lies)
    assert torch.equal(result, expected)
    assert torch.equal(x * noise, expected)


def test_all_may_be_dropped() -> None:
    twins = Twins(Dropping(1.0), F.mse_loss)
    for _ in range(2):
        twins.step(torch.randn(5, 6), torch.randn(5, 3))
    assert set(twins.backends) == {"ort"}


def test_the_generator_goes_on_where_eager_leaves_it() -> None:
    model, data, target = Dropping(0.5), torch.randn(4, 6), torch.randn(4, 3)
    twins = Twins(model, F.mse_loss)
    twins.step(data, target)
    before = copy.deepcopy(model)
    torch.manual_seed(11)
    twins.wrapper(data, target)
    ours = torch.rand(3)
    torch.manual_seed(11)
    F.mse_loss(before(data), target)
    assert torch.equal(ours, torch.rand(3))
    assert twins.calls_of(DROPOUT) == 2


def test_a_graph_without_chance_drops_nothing() -> None:
    model, data, target = Dropping(0.5), torch.randn(4, 6), torch.randn(4, 3)
    twins = Twins(model, F.mse_loss)
    twins.step(data, target)
    (plan,) = twins.wrapper._dispatcher.plans()
    with plan.graph.without_chance() as possible:
        assert possible
        (loss,) = tensors(twins.wrapper(data, target))
    expected = F.mse_loss(model.eval()(data), target)
    torch.testing.assert_close(loss, expected)
