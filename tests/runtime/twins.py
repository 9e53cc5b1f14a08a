"""Trains the same step twice, eagerly and through `ort_module`, and demands the same of both."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module


class WithLoss(nn.Module):
    """What the engine emits for `loss = criterion(model(data), target)`."""

    def __init__(self, model: nn.Module, criterion: Any) -> None:
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, data: Any, target: Any) -> Any:
        return self.criterion(self.model(data), target)


class Twins:
    """A model and its copy, each with an optimizer of its own.

    The class that is wrapped is called directly on the eager side.
    """

    def __init__(
        self, model: nn.Module, *others: Any, kind: type[nn.Module] = WithLoss, lr: float = 0.1
    ) -> None:
        self.model, self.reference = model, copy.deepcopy(model)
        self.kind, self.others = kind, others
        self.optimizer = self._optimizer(self.model, lr)
        self.reference_optimizer = self._optimizer(self.reference, lr)

    @staticmethod
    def _optimizer(model: nn.Module, lr: float) -> torch.optim.Optimizer:
        # Momentum and decay tell a zero gradient from none at all.
        return torch.optim.SGD(model.parameters(), lr, momentum=0.9, weight_decay=0.01)

    def step(self, *args: Any, tolerance: float = 1e-5, **kwargs: Any) -> Any:
        """One step of both, compared; returns the wrapper's result."""
        state = torch.get_rng_state()
        expected = self.kind(self.reference, *self.others)(*args, **kwargs)
        expected_state = torch.get_rng_state()
        torch.set_rng_state(state)
        result = self.wrapper(*args, **kwargs)
        torch.set_rng_state(expected_state)
        assert type(result) is type(expected)
        for mine, theirs in zip(tensors(result), tensors(expected)):
            assert mine.requires_grad == theirs.requires_grad
            torch.testing.assert_close(mine, theirs, rtol=tolerance, atol=tolerance)
        self._update(self.optimizer, result)
        self._update(self.reference_optimizer, expected)
        self._compare(tolerance)
        return result

    @property
    def wrapper(self) -> Any:
        """Asked for anew at every step, as scripts do."""
        return ort_module(self.kind, self.model, *self.others)

    @property
    def backends(self) -> list[str]:
        return [row["backend"] for row in self.wrapper.report()["signatures"]]

    @property
    def reasons(self) -> list[str]:
        rows = self.wrapper.report()["signatures"]
        return [row["reason"] for row in rows if row["backend"] == "eager"]

    def ran_on_ort(self) -> int:
        """How many calls ONNX Runtime ran."""
        return sum(row["ort_calls"] for row in self.wrapper.report()["signatures"])

    def calls_of(self, operator: str) -> int:
        """How often its one graph calls an operator of torch or of ours."""
        (plan,) = self.wrapper._dispatcher.plans()
        nodes = plan.graph.optimized_model.graph.node
        return sum(part.s.decode() == operator for node in nodes for part in node.attribute)

    @staticmethod
    def _update(optimizer: torch.optim.Optimizer, result: Any) -> None:
        optimizer.zero_grad()
        tensors(result)[0].backward()
        optimizer.step()

    def _compare(self, tolerance: float) -> None:
        pairs = zip(self.model.named_parameters(), self.reference.named_parameters())
        for (name, mine), (_, theirs) in pairs:
            assert (mine.grad is None) == (theirs.grad is None), name
            if theirs.grad is not None:
                close(mine.grad, theirs.grad, tolerance, f"gradient of {name}")
            close(mine, theirs, tolerance, name)
        buffers = zip(self.model.named_buffers(), self.reference.named_buffers())
        for (name, mine), (_, theirs) in buffers:
            close(mine, theirs, tolerance, name)
        for mine, theirs in zip(self.model.modules(), self.reference.modules()):
            assert mine.training == theirs.training


def close(mine: Any, theirs: Any, tolerance: float, name: str) -> None:
    torch.testing.assert_close(
        mine, theirs, rtol=tolerance, atol=tolerance, msg=lambda text: f"{name}: {text}"
    )


def tensors(value: Any) -> list[Tensor]:
    """The tensors in a nested result, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors(item)]
    return []


def mlp(*sizes: int, last: Sequence[nn.Module] = ()) -> nn.Sequential:
    """Linear layers with ReLU between."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1], *last)
