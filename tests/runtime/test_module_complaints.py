"""Checks in forward that only raise are asked before the graph runs, and do not keep it away."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import checks_of_arguments as checks
import pytest
import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module

_SIZES = (6, 6, 4, 6, 4, 6)


def _train(loss: Any, batches: list[tuple[Tensor, Tensor]]) -> tuple[list[Any], list[Any], int]:
    """Losses, or what was raised, of the step and of its eager twin, and the calls on ORT."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3))
    twin = checks.Checking(copy.deepcopy(model), loss)
    step = ort_module(checks.Checking, model, loss)
    ours: list[Any] = []
    theirs: list[Any] = []
    for data, target in batches:
        ours.append(_result(step, data, target))
        theirs.append(_result(twin, data, target))
        for one, other in zip(model.parameters(), twin.model.parameters()):
            torch.testing.assert_close(one.grad, other.grad)
        torch.testing.assert_close(dict(model.named_buffers()), dict(twin.model.named_buffers()))
    return ours, theirs, sum(row["ort_calls"] for row in step.report()["signatures"])


def _result(module: nn.Module, data: Tensor, target: Tensor) -> Any:
    try:
        loss = module(data.clone(), target.clone())
    except (AssertionError, ValueError) as error:
        return str(error)
    loss.backward()
    return loss.item()


def _batches(sizes: tuple[int, ...] = _SIZES) -> list[tuple[Tensor, Tensor]]:
    torch.manual_seed(1)
    return [(torch.randn(size, 5), torch.arange(size) % checks.CLASSES) for size in sizes]


@pytest.mark.parametrize(
    "loss",
    [
        checks.by_a_function,
        checks.by_a_function_and_sizes,
        checks.by_an_if,
        checks.by_an_if_with_item,
        checks.by_asserts,
    ],
)
def test_what_the_check_lets_pass_runs_on_ort_and_the_rest_raises(loss: Any) -> None:
    batches = _batches()
    data, target = batches[3]
    batches[3] = (data, target + 1)
    ours, theirs, on_ort = _train(loss, batches)
    assert _same(ours, theirs)
    assert isinstance(ours[3], str), "the labels are out of range"
    assert on_ort >= 2


def test_a_check_that_is_given_a_size_is_given_that_of_its_batch() -> None:
    batches = _batches((7, 7, 6, 6, 6, 7))
    data, target = batches[4]
    batches[4] = (data, target + 1)
    ours, theirs, on_ort = _train(checks.by_the_number_of_rows, batches)
    assert _same(ours, theirs)
    assert isinstance(ours[4], str), "of 6 rows the labels must be below 3, of 7 below 4"
    assert on_ort == 3


@pytest.mark.parametrize(
    "loss",
    [
        checks.of_what_was_computed,
        checks.of_what_was_written_to,
        checks.that_keeps_the_number,
        checks.that_decides_more,
        checks.beside_another_statement,
        checks.that_notes,
        checks.that_writes,
    ],
)
def test_what_does_more_than_to_check_arguments_runs_eagerly(loss: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs, on_ort = _train(loss, _batches())
    assert _same(ours, theirs)
    assert on_ort == 0


def _same(ours: list[Any], theirs: list[Any]) -> bool:
    pairs = zip(ours, theirs)
    return all(a == b if isinstance(a, str) else a == pytest.approx(b) for a, b in pairs)
