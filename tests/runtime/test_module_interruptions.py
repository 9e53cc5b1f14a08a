"""What is around a call of a step, and exceptions of the script's own that come out of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Callable

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from twins import mlp

from ortwrap.runtime import OrtwrapWarning, ort_module


class Loss(nn.Module):
    """A step of a model whose output is to be small."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor) -> Tensor:
        loss: Tensor = torch.tanh(self.model(data)).square().mean()
        return loss


class Doubled(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        return result * 2 if func is torch.tanh else result


class Halved(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        return result / 2 if func is torch.ops.aten.tanh.default else result


def _inside(mode: Callable[[], AbstractContextManager[Any]]) -> Callable[[nn.Module, Tensor], Any]:
    def call(step: nn.Module, data: Tensor) -> Any:
        with mode():
            return step(data)

    return call


def _tangent(step: nn.Module, data: Tensor) -> Any:
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(data, torch.ones_like(data))
        return forward_ad.unpack_dual(step(dual)).tangent


AROUND: dict[str, Callable[[nn.Module, Tensor], Any]] = {
    "a mode of functions": _inside(Doubled),
    "a mode of operators": _inside(Halved),
    "torch.func.grad": lambda step, data: torch.func.grad(step)(data),
    "torch.func.vmap": lambda step, data: torch.func.vmap(step)(data.expand(2, *data.shape)),
    "forward mode": _tangent,
}


@pytest.mark.parametrize("name", AROUND)
def test_what_torch_is_told_around_a_call_is_heeded(name: str) -> None:
    model = mlp(8, 4)
    step = ort_module(Loss, model)
    for _ in range(3):
        step(torch.randn(6, 8)).backward()
    data = torch.randn(6, 8)
    with pytest.warns(OrtwrapWarning, match=r"mode|torch\.func"):
        found = AROUND[name](step, data)
    torch.testing.assert_close(found, AROUND[name](Loss(model), data))
    step(data).backward()
    assert step.report()["signatures"][0]["ort_calls"] == 3


def test_a_device_is_no_other_mode() -> None:
    step = ort_module(Loss, mlp(8, 4))
    for _ in range(3):
        with torch.device("cpu"):
            step(torch.randn(6, 8)).backward()
    assert step.report()["signatures"][0]["ort_calls"] == 2


class NotANumber(Exception):
    """Of the script."""


class Checked(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, data: Tensor) -> Tensor:
        return data.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        if gradient.isnan().any():
            raise NotANumber
        return gradient


class UsesChecked(Loss):
    def forward(self, data: Tensor) -> Tensor:
        checked: Tensor = Checked.apply(super().forward(data) * data.sum())  # type: ignore[no-untyped-call]
        return checked * data.mean()


def test_what_the_backward_of_a_function_raises_is_raised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("ORTWRAP_CACHE", str(tmp_path))
    step = ort_module(UsesChecked, mlp(8, 4))
    for _ in range(3):
        step(torch.randn(6, 8)).backward()
    loss = step(torch.full((6, 8), float("nan")))
    with pytest.raises(NotANumber):
        loss.backward()
    step(torch.randn(6, 8)).backward()
    assert step.report()["signatures"][0]["ort_calls"] == 4
    assert not list(tmp_path.rglob("*.json"))


class TooLate(Exception):
    """Of a handler of signals."""


@pytest.fixture
def limited() -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise TooLate

    before = signal.signal(signal.SIGUSR1, ring)
    yield
    signal.signal(signal.SIGUSR1, before)


class Large(torch.autograd.Function):
    """Its backward takes too long where the gradient is large."""

    @staticmethod
    def forward(ctx: Any, data: Tensor) -> Tensor:
        return data.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        if gradient.abs().max() > 100:
            signal.raise_signal(signal.SIGUSR1)
        return gradient


class TakesLong(Loss):
    def forward(self, data: Tensor) -> Tensor:
        if torch.jit.is_tracing() and self.model.training:
            signal.raise_signal(signal.SIGUSR1)
        loss: Tensor = Large.apply(super().forward(data))  # type: ignore[no-untyped-call]
        return loss * data.mean()


@pytest.mark.usefixtures("limited")
def test_what_a_handler_of_signals_raises_is_raised() -> None:
    model = mlp(8, 4, last=[nn.BatchNorm1d(4)])
    step = ort_module(TakesLong, model)
    with pytest.raises(TooLate):
        step(torch.randn(6, 8))
    assert model[-1].num_batches_tracked == 1
    model.eval()
    for _ in range(3):
        step(torch.randn(6, 8)).backward()
    loss = step(torch.full((6, 8), 1000.0))
    with pytest.raises(TooLate):
        loss.backward()
    step(torch.randn(6, 8)).backward()
    assert [row["ort_calls"] for row in step.report()["signatures"]] == [4]
