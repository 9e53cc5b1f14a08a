"""What an attempt on ONNX Runtime must not leave behind, and state that guards once missed."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from twins import Twins

from ortwrap.runtime import ort_module


class Alone(nn.Module):
    """A step of a model whose forward returns the loss."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor) -> Tensor:
        return self.model(data)


class Layered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(6, 3)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, data: Tensor) -> Tensor:
        return self.last(self.first(data)).square().mean()


class CountsInBuffer(Layered):
    def forward(self, data: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(data) * self.calls


def test_a_backward_may_need_a_buffer_that_forward_writes_to() -> None:
    twins = Twins(CountsInBuffer(), kind=Alone)
    for _ in range(3):
        twins.step(torch.randn(5, 6))


class DrawsFromItsOwn(Layered):
    def __init__(self) -> None:
        super().__init__()
        self.source = torch.Generator().manual_seed(3)

    def __deepcopy__(self, memo: object) -> DrawsFromItsOwn:
        copied = DrawsFromItsOwn()
        copied.load_state_dict(self.state_dict())
        return copied

    def forward(self, data: Tensor) -> Tensor:
        return super().forward(data + torch.randn(data.shape, generator=self.source))


def test_a_generator_of_the_models_own_is_drawn_from_as_often_as_eagerly() -> None:
    twins = Twins(DrawsFromItsOwn(), kind=Alone)
    for _ in range(5):
        twins.step(torch.randn(5, 6))
    assert "a generator of its own" in twins.reasons[0]


class ScalesIfItCan(Layered):
    def forward(self, data: Tensor) -> Tensor:
        scale = getattr(self, "scale", None)
        return super().forward(data if scale is None else data * scale)


def test_a_first_parameter_that_is_added_later_is_followed() -> None:
    twins = Twins(ScalesIfItCan(), kind=Alone)
    for index in range(5):
        if index == 2:
            for model in (twins.model, twins.reference):
                model.scale = nn.Parameter(torch.tensor(3.0))
        twins.step(torch.randn(5, 6))
    assert twins.ran_on_ort() == 3


def test_a_layer_that_its_first_call_makes_trains_on_ort_from_then_on() -> None:
    model = nn.Sequential(nn.LazyLinear(4), nn.Flatten(0))
    twins = Twins(model, kind=Mean)
    for _ in range(4):
        twins.step(torch.randn(5, 6))
    assert twins.ran_on_ort() == 2


class Mean(Alone):
    def forward(self, data: Tensor) -> Tensor:
        return self.model(data).square().mean()


def test_a_scripted_layer_runs_eagerly() -> None:
    step = ort_module(Mean, nn.Sequential(torch.jit.script(nn.Linear(6, 3))))
    step(torch.randn(5, 6)).backward()
    (row,) = step.report()["signatures"]
    assert "a scripted module hides" in row["reason"]


class LosesInDouble(Layered):
    def forward(self, data: Tensor) -> Tensor:
        return super().forward(data).double()


def test_a_loss_in_double_is_no_more_exact_than_what_it_is_made_of() -> None:
    twins = Twins(LosesInDouble(), kind=Alone)
    for _ in range(3):
        twins.step(torch.randn(5, 6))
    assert twins.ran_on_ort() == 2


class DrawsTheSameEachTime(Layered):
    def forward(self, data: Tensor) -> Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            data = data + torch.randn_like(data)
        return super().forward(data)


def test_random_numbers_that_forward_seeds_are_drawn_eagerly() -> None:
    twins = Twins(DrawsTheSameEachTime(), kind=Alone)
    for _ in range(5):
        twins.step(torch.randn(5, 6))
    assert "sets the state of torch's random numbers" in twins.reasons[0]
