"""Modules whose weights are computed of others, and their copies."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from twins import WithLoss

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")

from ortwrap.runtime import ort_module
from ortwrap.runtime.code_names import only_identified


@pytest.mark.parametrize("made", [parametrizations.weight_norm, parametrizations.orthogonal])
def test_a_copy_keeps_its_graph_while_the_original_trains(made: Any) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(made(nn.Linear(4, 6)), nn.Tanh(), nn.Linear(6, 3))
    reference, twin = copy.deepcopy(model), copy.deepcopy(model)
    criterion = nn.MSELoss()
    models = (model, reference, twin)
    optimizers = [torch.optim.SGD(one.parameters(), 0.05) for one in models]
    for _ in range(4):
        x, y = torch.randn(5, 4), torch.randn(5, 3)
        steps = (
            WithLoss(model, criterion),
            WithLoss(reference, criterion),
            ort_module(WithLoss, twin, criterion),
        )
        for step, optimizer in zip(steps, optimizers):
            optimizer.zero_grad()
            step(x, y).backward()
            optimizer.step()
        for mine, theirs in zip(twin.parameters(), reference.parameters()):
            torch.testing.assert_close(mine, theirs)
    rows = ort_module(WithLoss, twin, criterion).report()["signatures"]
    assert [(row["backend"], row["ort_calls"]) for row in rows] == [("ort", 3)]


def _closures() -> list[Any]:
    module = nn.Linear(2, 2)
    return [
        lambda: {id(module): 1},
        lambda: (id(module), module.weight),
        lambda: id(module.weight),
        lambda: [lambda: module],
        lambda: isinstance(module, nn.Linear),
    ]


def test_what_is_only_identified_is_told_from_what_is_read() -> None:
    found = ["module" in only_identified(closure.__code__) for closure in _closures()]
    assert found == [True, False, False, False, False]
