"""Tensors that no graph takes as inputs, written to in ways that torch does not count."""

from __future__ import annotations

import copy
from typing import Any, Callable

import numpy
import pytest
import torch
from torch import Tensor, nn
from twins import mlp

from ortwrap.runtime import ort_module

_ARRAY = numpy.ones(3, "float32")


class Moved(nn.Module):
    """A step whose results are moved by tensors that are neither parameters nor buffers."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor) -> Tensor:
        offset = self.model.offset.reshape(-1, 3)[0]  # type: ignore[operator]
        moved: Tensor = self.model(data) + offset
        return moved.square().mean()


def _through_data(model: nn.Module, turn: int) -> None:
    model.offset.data.fill_(1.0 / turn)  # type: ignore[operator, union-attr]


def _by_other_data(model: nn.Module, turn: int) -> None:
    model.offset.data = torch.full((3,), 1.0 / turn)


def _through_an_array(model: nn.Module, turn: int) -> None:
    _ARRAY[turn % 3] = 1.0 / turn


def _in_inference_mode(model: nn.Module, turn: int) -> None:
    with torch.inference_mode():
        model.offset.fill_(1.0 / turn)  # type: ignore[operator]


def _inference_tensor() -> Tensor:
    with torch.inference_mode():
        return torch.ones(3)


WRITES: dict[str, tuple[Callable[[], Tensor], Callable[[nn.Module, int], None]]] = {
    "through its data": (lambda: torch.ones(3), _through_data),
    "by other data": (lambda: torch.ones(3), _by_other_data),
    "through an array": (lambda: torch.from_numpy(_ARRAY), _through_an_array),
    "in inference mode": (_inference_tensor, _in_inference_mode),
    "large, through its data": (lambda: torch.ones(70_000, 3), _through_data),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_tensor_that_is_written_to_uncounted_is_followed(name: str) -> None:
    make, write = WRITES[name]
    model = mlp(8, 3)
    model.offset = make()  # type: ignore[assignment]
    step = ort_module(Moved, model)
    for turn in range(1, 7):
        if turn in (3, 5):
            write(model, turn)
        data = torch.randn(4, 8)
        torch.testing.assert_close(step(data), Moved(model)(data))
    assert sum(row["ort_calls"] for row in step.report()["signatures"]) >= 2


class Distilled(nn.Module):
    """A step that follows a teacher which it keeps from its own parameters by a list."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor) -> Tensor:
        with torch.no_grad():
            aim = self.model.teachers[0](data) + 1  # type: ignore[index, operator]
        return (self.model(data) - aim).square().mean()


def test_a_teacher_in_a_list_that_moves_through_data_is_followed_until_it_is_given_up() -> None:
    model = mlp(8, 3)
    teacher = copy.deepcopy(model).requires_grad_(False)
    model.teachers = [teacher]  # type: ignore[assignment]
    step = ort_module(Distilled, model)

    def train() -> None:
        for _ in range(11):
            data = torch.randn(4, 8)
            loss = step(data)
            torch.testing.assert_close(loss, Distilled(model)(data))
            loss.backward()
            for mine, theirs in zip(teacher.parameters(), model.parameters()):
                theirs.data.sub_(0.1 * theirs.grad)  # type: ignore[operator]
                mine.data.mul_(0.5).add_(theirs.data, alpha=0.5)

    with pytest.warns(UserWarning, match="keep changing"):
        train()


def test_a_step_that_is_refused_anew_in_each_call_is_given_up() -> None:
    model = mlp(8, 3)
    # A graph cannot hold tensors that require grad.
    teacher = copy.deepcopy(model)
    model.teachers = [teacher]  # type: ignore[assignment]
    step = ort_module(Distilled, model)

    def call() -> None:
        for _ in range(11):
            step(torch.randn(4, 8))
            next(teacher.parameters()).data.mul_(0.9)

    with pytest.warns(UserWarning, match="requires grad as a constant"):
        call()
    assert len(step.report()["signatures"]) == 9


def test_tensors_of_inference_mode_are_arguments_and_buffers() -> None:
    class Shifted(Moved):
        def forward(self, data: Tensor, aim: Tensor) -> Tensor:  # type: ignore[override]
            shifted: Tensor = self.model(data) + self.model.shift - aim  # type: ignore[operator]
            return shifted.square().mean()

    model, teacher = mlp(8, 3), mlp(8, 3)
    with torch.inference_mode():
        model.register_buffer("shift", torch.ones(3))
    step = ort_module(Shifted, model)
    for _ in range(4):
        data = torch.randn(4, 8)
        with torch.inference_mode():
            aim = teacher(data)
        loss = step(data, aim)
        torch.testing.assert_close(loss, Shifted(model)(data, aim))
        loss.backward()
    assert step.report()["signatures"][0]["ort_calls"] == 3


class Configured(Moved):
    """A step that is scaled by a number out of a large or a deep place."""

    def forward(self, data: Tensor) -> Tensor:
        place: Any = self.model.place
        if isinstance(place, dict):
            scale = place["model"]["encoder"]["attention"]["scale"]["of"]["values"]
        else:
            scale = float(place[300])
        scaled: Tensor = self.model(data) * scale
        return scaled.square().mean()


def _set_deep(place: Any, value: float) -> None:
    place["model"]["encoder"]["attention"]["scale"]["of"]["values"] = value


def _set_far(place: Any, value: float) -> None:
    place[300] = value


PLACES: dict[str, tuple[Callable[[], Any], Callable[[Any, float], None]]] = {
    "a deep dictionary": (
        lambda: {"model": {"encoder": {"attention": {"scale": {"of": {"values": 1.0}}}}}},
        _set_deep,
    ),
    "a long list": (lambda: [1.0] * 2_000, _set_far),
    "a large array": (lambda: numpy.ones(20_000), _set_far),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_number_in_a_deep_or_large_place_is_followed(name: str) -> None:
    make, write = PLACES[name]
    model = mlp(8, 3)
    model.place = make()
    step = ort_module(Configured, model)
    for scale in (1.0, 1.0, 2.0, 2.0, 1.0):
        write(model.place, scale)
        data = torch.randn(4, 8)
        torch.testing.assert_close(step(data), Configured(model)(data))
    assert [row["ort_calls"] for row in step.report()["signatures"]] == [2, 1]
