"""Random numbers that extensions draw from the C library."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ortwrap.runtime import c_random, ort_module

LIBC: Any = ctypes.CDLL(None)
LIBC.initstate.restype = ctypes.c_void_p
pytestmark = pytest.mark.skipif(
    not hasattr(LIBC, "gnu_get_libc_version"), reason="another C library"
)


@pytest.mark.parametrize("drawn", [0, 1, 40, 333])
def test_the_state_goes_back_to_where_it_was(drawn: int) -> None:
    for _ in range(drawn):
        LIBC.rand()
    state = c_random.take()
    assert c_random.take() == state
    numbers = [LIBC.rand() for _ in range(50)]
    assert c_random.take() != state
    c_random.restore(state)
    assert [LIBC.rand() for _ in range(50)] == numbers


@pytest.mark.parametrize("size", [8, 32, 64, 128, 256])
def test_another_kind_of_generator_is_left_as_it_is(size: int) -> None:
    memory = ctypes.create_string_buffer(size)
    before = c_random.take()
    own = LIBC.initstate(3, memory, size)
    try:
        LIBC.rand()
        state = c_random.take()
        assert state is not None
        assert len(state) == size
        numbers = [LIBC.rand() for _ in range(5)]
        c_random.restore(state)
        assert [LIBC.rand() for _ in range(5)] == numbers
        position = c_random.take()
        if size != 128:
            c_random.restore(before)
            assert c_random.take() == position
    finally:
        LIBC.setstate(ctypes.c_void_p(own))
    c_random.restore(before)
    assert c_random.take() == before


class Sampled(nn.Module):
    """Computes the loss of a point that the C library chooses, as farthest point sampling does."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, points: Tensor) -> Tensor:
        return self.model(points[LIBC.rand() % len(points)]).square().mean()


def test_a_step_that_draws_from_c_draws_what_it_draws_eagerly() -> None:
    points, model, start = torch.randn(7, 3), nn.Linear(3, 2), c_random.take()
    results = []
    step = ort_module(Sampled, model)
    for run in (Sampled(model), step):
        c_random.restore(start)
        losses = [run(points).item() for _ in range(6)]
        results.append((losses, c_random.take()))
    assert results[0] == results[1]
    assert [row["backend"] for row in step.report()["signatures"]] == ["eager"] * 2
    assert "rand()" in step.report()["signatures"][0]["reason"]


def test_attempts_leave_the_numbers_of_c_where_they_were() -> None:
    """Of a step that does not draw, but whose trace does."""

    class Traced(Sampled):
        def forward(self, points: Tensor) -> Tensor:
            if torch.jit.is_tracing():
                LIBC.rand()
            return self.model(points).square().mean()

    step, before = ort_module(Traced, nn.Linear(3, 2)), c_random.take()
    for _ in range(3):
        step(torch.randn(7, 3)).backward()
    assert c_random.take() == before
