"""Modules that a step holds and forward does not get at: what changes in them changes no graph."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Any, Callable

import pytest
import torch
from torch import Tensor, nn
from twins import Twins


class Mean(nn.Module):
    """A metric as libraries have them: its states are plain attributes, made anew by each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.total = torch.zeros(()), torch.zeros(())
        self.updates, self.computed, self.values = 0, None, []

    def forward(self, value: Tensor) -> Tensor:
        self.total, self.weight = self.total + value, self.weight + 1
        self.updates, self.computed = self.updates + 1, self.total / self.weight
        self.values.append(float(value))
        return self.computed


class Counted(Mean):
    """The same with its states in buffers."""

    def __init__(self) -> None:
        super().__init__()
        del self.total
        self.register_buffer("total", torch.zeros(()))


def of_torchmetrics() -> nn.Module:
    metrics = pytest.importorskip("torchmetrics")
    both: nn.Module = metrics.MetricCollection({"mean": metrics.MeanMetric()})
    return both


class Task(nn.Module):
    """Keeps a network, its criterion and its metrics, as a LightningModule does."""

    def __init__(self, metric: nn.Module) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4))
        self.criterion = nn.CrossEntropyLoss()
        self.seen, self.more = metric, nn.ModuleList([Mean()])

    def forward(self, data: Tensor) -> Tensor:
        return self.net(data)

    def report(self, value: Tensor) -> None:
        self.seen(value)
        self.more[0](value)


class TaskWithDecay(Task):
    """Goes over the parameters of all modules, which are those of the network."""

    def forward(self, data: Tensor) -> Tensor:
        return super().forward(data) * sum(one.square().sum() for one in self.parameters())


class Loss(nn.Module):
    """What the engine emits for `loss = self.criterion(self(data), target)`."""

    def __init__(self, model: Task) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        return self.model.criterion(self.model(data), target)


@pytest.mark.parametrize(
    ("kind", "metric"),
    [
        (Task, Mean),
        (Task, Counted),
        (Task, of_torchmetrics),
        (TaskWithDecay, Mean),
        (TaskWithDecay, Counted),
    ],
)
def test_the_states_of_metrics_are_no_part_of_a_signature(
    kind: type[Task], metric: Callable[[], nn.Module]
) -> None:
    twins = Twins(kind(metric()), kind=Loss)
    for _ in range(12):
        loss = twins.step(torch.randn(6, 8), torch.randint(0, 4, (6,)), tolerance=1e-4)
        for model in (twins.model, twins.reference):
            model.report(loss.detach())
    assert twins.backends == ["ort"]
    assert twins.ran_on_ort() == 11


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = 1.0

    def forward(self, data: Tensor) -> Tensor:
        return data * self.factor


class Scaled(nn.Module):
    """Holds a module that forward gets at by some means."""

    def __init__(self, get: Callable[[Any], nn.Module]) -> None:
        super().__init__()
        self.layer, self.aside, self.get = nn.Linear(8, 4), Scale(), get
        self.several = nn.ModuleDict({"first": Scale()})
        self.kept = types.SimpleNamespace(other=self.aside)
        self.listed = [self.aside]
        self.keyed = {self.aside: 1.0}

    def forward(self, data: Tensor) -> Tensor:
        return self.get(self)(self.layer(data))


def a_function(scaled: Scaled) -> Any:
    return scaled.kept.other.forward


MEANS: dict[str, Callable[[Any], Any]] = {
    "its name": lambda scaled: scaled.aside,
    "getattr": lambda scaled: getattr(scaled, "".join(["as", "ide"])),
    "__getattr__": lambda scaled: scaled.__getattr__("".join(["as", "ide"])),
    "modules": lambda scaled: next(one for one in scaled.modules() if isinstance(one, Scale)),
    "children": lambda scaled: list(scaled.children())[1],
    "_modules": lambda scaled: list(scaled._modules.values())[1],
    "get_submodule": lambda scaled: scaled.get_submodule("".join(["as", "ide"])),
    "a list": lambda scaled: scaled.listed[0],
    "the key of a dictionary": lambda scaled: next(iter(scaled.keyed)),
    "another name": lambda scaled: scaled.kept.other,
    "its method alone": a_function,
    "a container of torch": lambda scaled: scaled.several["".join(["fi", "rst"])],
}


@pytest.mark.parametrize("means", MEANS)
def test_a_module_that_forward_gets_at_is_followed(means: str) -> None:
    twins = Twins(Scaled(MEANS[means]), nn.CrossEntropyLoss())
    for factor in (1.0, 1.0, 1.0, 2.0, 2.0, 0.5, 2.0, 1.0):
        for model in (twins.model, twins.reference):
            model.aside.factor = model.several["first"].factor = factor
        twins.step(torch.randn(6, 8), torch.randint(0, 4, (6,)))
    assert twins.ran_on_ort() >= 3


class ScaledIfLong(Scaled):
    def forward(self, data: Tensor) -> Tensor:
        found = self.layer(data)
        return self.get(self)(found) if data.size(0) > 6 else found


def test_a_module_that_only_other_sizes_get_at_is_followed_from_there_on() -> None:
    twins = Twins(ScaledIfLong(MEANS["another name"]), nn.CrossEntropyLoss())

    def steps(sizes: Sequence[int], factor: float) -> None:
        for size in sizes:
            for model in (twins.model, twins.reference):
                model.aside.factor = factor
            twins.step(torch.randn(size, 8), torch.randint(0, 4, (size,)))

    steps([4, 5, 6, 7, 8, 7, 4], 1.0)
    steps([7, 8, 4, 7], 3.0)


class TracedOtherwise(Scaled):
    def forward(self, data: Tensor) -> Tensor:
        found = self.layer(data)
        return self.get(self)(found) if torch.jit.is_tracing() else found


def test_a_module_that_only_a_trace_gets_at_rules_a_graph_out() -> None:
    twins = Twins(TracedOtherwise(MEANS["another name"]), nn.CrossEntropyLoss())
    for _ in range(3):
        twins.step(torch.randn(6, 8), torch.randint(0, 4, (6,)))
    assert twins.backends == ["eager"]


def test_nothing_is_left_on_the_class_of_all_modules() -> None:
    before = dict(vars(nn.Module))
    twins = Twins(Task(Mean()), kind=Loss)
    twins.step(torch.randn(6, 8), torch.randint(0, 4, (6,)))
    assert dict(vars(nn.Module)) == before
