"""Numbers that forward takes off tensors: reported they come off the graph, used they stop it."""

from __future__ import annotations

import copy
import warnings
from typing import Any, Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ortwrap.runtime import OrtwrapWarning, ort_module

Report = Callable[[Tensor, Tensor, float], Any]


class Reporting(nn.Module):
    """A step that returns what `report` makes of the scores, beside the loss."""

    def __init__(self, model: nn.Module, report: Report) -> None:
        super().__init__()
        self.model = model
        self.report = report

    def forward(self, data: Tensor, target: Tensor, total: float) -> Any:
        scores = self.model(data)
        return F.cross_entropy(scores, target), self.report(scores, target, total)


def right(scores: Tensor, target: Tensor) -> Tensor:
    return scores.argmax(1).eq(target).sum()


def train(report: Report, sizes: tuple[int, ...] = (6, 6, 4, 6, 6)) -> tuple[Any, Any, Any]:
    """What the step and its eager twin reported, and what the step did."""
    torch.manual_seed(0)
    model = nn.Linear(5, 3)
    twin = Reporting(copy.deepcopy(model), report)
    step = ort_module(Reporting, model, report)
    ours, theirs = [], []
    total = 0.0
    for size in sizes:
        data, target = torch.randn(size, 5), torch.randint(0, 3, (size,))
        for module, reports in ((step, ours), (twin, theirs)):
            loss, reported = module(data, target, total)
            loss.backward()
            reports.append(reported)
        total += 1.5
        with torch.no_grad():
            for one in (model, twin.model):
                for parameter in one.parameters():
                    parameter -= 0.1 * parameter.grad
                    parameter.grad = None
    return ours, theirs, step.report()["signatures"]


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(lambda scores, target, _: right(scores, target).item(), id="int"),
        pytest.param(lambda scores, *_: {"a": [scores.mean().item()]}, id="float, in containers"),
        pytest.param(
            lambda scores, target, _: 100.0 * right(scores, target).item() / target.size(0),
            id="divided by a size",
        ),
        pytest.param(
            lambda scores, *_: -round(abs(scores.mean().item() - 2) ** 2, 4), id="arithmetic"
        ),
        pytest.param(
            lambda scores, target, total: total + F.cross_entropy(scores, target).item(),
            id="added to a number that was given",
        ),
    ],
)
def test_a_reported_number_is_that_of_its_batch(report: Report) -> None:
    ours, theirs, signatures = train(report)
    assert _types(ours) == _types(theirs)
    torch.testing.assert_close(ours, theirs)
    assert len({str(one) for one in ours}) > 1, "every batch has the same number: it tests nothing"
    assert sum(row["ort_calls"] for row in signatures) > 0


def _types(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        inner = value.values() if isinstance(value, dict) else value
        return [type(value), *map(_types, inner)]
    return type(value)


SEEN: list[float] = []


def keeps(scores: Tensor, *_: Any) -> None:
    SEEN.append(scores.mean().item())


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(lambda s, *_: s.mean() * 2 if s.mean().item() > 0 else s.sum(), id="branch"),
        pytest.param(lambda s, *_: s.sum() * s.mean().item(), id="multiplied with a tensor"),
        pytest.param(lambda s, *_: s / s.mean().item(), id="divides a tensor"),
        pytest.param(lambda s, *_: f"{s.mean().item():.3f}", id="formatted"),
        pytest.param(lambda s, *_: float(s.mean().item()), id="converted"),
        pytest.param(lambda s, *_: [1] * right(s, s.argmax(1)).item(), id="counts"),
        pytest.param(keeps, id="kept elsewhere"),
    ],
)
def test_a_number_that_is_used_stops_the_graph(report: Report) -> None:
    SEEN.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours, theirs, signatures = train(report)
    assert str(ours) == str(theirs)
    assert not any(row["ort_calls"] for row in signatures)
    said = [str(one.message) for one in caught if issubclass(one.category, OrtwrapWarning)]
    assert len(said) == 1
    assert "value of a tensor" in said[0] or "changes" in said[0]
    assert all(type(number) is float for number in SEEN)


def compared(scores: Tensor, *_: Any) -> Tensor:
    return torch.arange(3).eq(scores.sum().item())


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (compared, "return torch.arange(3).eq(scores.sum().item())"),
        (lambda s, *_: torch.full((2,), s.mean().item()), "torch.full((2,), s.mean().item())"),
        (lambda s, *_: s.clamp(min=s.mean().item()), "s.clamp(min=s.mean().item())"),
    ],
    ids=["compared", "filled with", "clamped by"],
)
def test_where_torch_wants_the_number_the_line_is_told(report: Report, line: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train(report)
    (said,) = (str(one.message) for one in caught if issubclass(one.category, OrtwrapWarning))
    assert "value of a tensor" in said
    assert line in said
    assert "Reading" not in said
