"""Steps that work on `.grad` themselves: an attempt leaves every gradient as eager does."""

from __future__ import annotations

import copy
from typing import Any, Callable

import pytest
import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

    def loss(self, data: Tensor) -> Tensor:
        return self.head(self.body(data)).square().mean()


class Inner(nn.Module):
    """A step of two models that works on gradients before it returns the loss."""

    def __init__(self, model: Net, other: Net) -> None:
        super().__init__()
        self.model, self.other = model, other

    def forward(self, data: Tensor) -> Tensor:
        # ORTModule traces without gradients.
        with torch.enable_grad():
            self.update(data)
        return self.model.loss(data) + self.other.loss(data)

    def update(self, data: Tensor) -> None:
        raise NotImplementedError


class ZeroesThenBackward(Inner):
    def update(self, data: Tensor) -> None:
        self.model.head.zero_grad()
        self.model.loss(data).backward()


class ZeroesParametersInPlace(Inner):
    def update(self, data: Tensor) -> None:
        for parameter in self.model.parameters():
            if parameter.grad is not None:
                parameter.grad.zero_()
        self.model.loss(data).backward()


class Accumulates(Inner):
    def update(self, data: Tensor) -> None:
        self.model.loss(data).backward()


class DescendsByHand(Inner):
    """Writes to weights where torch counts no writes."""

    def update(self, data: Tensor) -> None:
        self.model.head.zero_grad()
        self.model.loss(data.detach()).backward()
        for parameter in self.model.head.parameters():
            parameter.data -= 0.05 * parameter.grad


class StepsAnOptimizer(Inner):
    def update(self, data: Tensor) -> None:
        optimizer = torch.optim.SGD(self.model.head.parameters(), 0.05)
        optimizer.zero_grad()
        self.model.loss(data.detach()).backward()
        optimizer.step()


class BackwardThroughBoth(Inner):
    def update(self, data: Tensor) -> None:
        self.other.zero_grad()
        torch.autograd.backward(self.model.loss(data) * self.other.loss(data))


class OnlyZeroes(Inner):
    def update(self, data: Tensor) -> None:
        self.model.zero_grad()


class OnlyDeletes(Inner):
    def update(self, data: Tensor) -> None:
        for parameter in self.other.parameters():
            del parameter.grad


def constant() -> tuple[Tensor, Tensor]:
    leaf = torch.randn(3, 4)
    return leaf, leaf


def trained() -> tuple[Tensor, Tensor]:
    leaf = torch.randn(3, 4, requires_grad=True)
    return leaf, leaf


def computed() -> tuple[Tensor, Tensor]:
    leaf = torch.randn(3, 4, requires_grad=True)
    return leaf, leaf + 1


def gradients(leaves: list[Tensor]) -> list[Tensor | None]:
    return [None if leaf.grad is None else leaf.grad.clone() for leaf in leaves]


def history(
    step: Any, models: tuple[Net, Net], batch: Callable[[], tuple[Tensor, Tensor]]
) -> list[Any]:
    """What every call leaves in `.grad`, and every update in the weights.

    Only what forward zeroes is zeroed.
    """
    torch.manual_seed(1)
    parameters = [one for model in models for one in model.parameters()]
    optimizer = torch.optim.SGD(parameters, 0.05, momentum=0.9)
    seen: list[Any] = []
    for _ in range(4):
        leaf, data = batch()
        before = [one.grad for one in parameters]
        loss = step(data)
        kept = [one.grad is grad for one, grad in zip(parameters, before)]
        seen += [kept, gradients([*parameters, leaf])]
        loss.backward()
        seen.append(gradients([*parameters, leaf]))
        optimizer.step()
        seen.append([loss.detach(), *(one.detach().clone() for one in parameters)])
    return seen


@pytest.mark.parametrize("batch", [constant, trained, computed])
@pytest.mark.parametrize("kind", Inner.__subclasses__())
def test_gradients_are_what_eager_leaves(
    kind: type[Inner], batch: Callable[[], tuple[Tensor, Tensor]]
) -> None:
    models = Net(), Net()
    twins = copy.deepcopy(models)
    step = ort_module(kind, *models)
    found, expected = history(step, models, batch), history(kind(*twins), twins, batch)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert all(row["backend"] == "eager" for row in step.report()["signatures"])


def test_a_gradient_that_forward_asks_for_is_named_with_its_line() -> None:
    step = ort_module(Accumulates, Net(), Net())
    step(torch.randn(3, 4))
    (row,) = step.report()["signatures"]
    assert row["reason"] == "forward calls backward"
    line = Accumulates.update.__code__.co_firstlineno + 1
    assert row["place"] == f"{__file__}:{line}"
