"""What scripts do around a step, row by row of docs/runtime.md, that no other file here tests."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from twins import Twins, WithLoss, mlp

from ortwrap.runtime import ort_module


def batch(size: int = 6) -> tuple[Tensor, Tensor]:
    return torch.randn(size, 8), torch.randint(0, 4, (size,))


def test_gradients_that_are_clipped_and_scaled() -> None:
    models = [mlp(8, 16, 4)]
    models.append(copy.deepcopy(models[0]))
    steps = [ort_module(WithLoss, models[0], nn.CrossEntropyLoss())]
    steps.append(WithLoss(models[1], nn.CrossEntropyLoss()))
    optimizers = [torch.optim.Adam(model.parameters(), 0.01) for model in models]
    scalers = [torch.amp.GradScaler("cpu", init_scale=64.0) for _ in models]
    for _ in range(4):
        data, target = batch()
        norms = []
        for model, step, optimizer, scaler in zip(models, steps, optimizers, scalers):
            optimizer.zero_grad()
            scaler.scale(step(data, target) / 3).backward()
            scaler.unscale_(optimizer)
            norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.05))
            scaler.step(optimizer)
            scaler.update()
        torch.testing.assert_close(*norms)
    torch.testing.assert_close(models[0].state_dict(), models[1].state_dict())
    assert steps[0].report()["signatures"][0]["ort_calls"] == 3


def test_an_optimizer_that_calls_the_step_itself() -> None:
    models = [mlp(8, 4)]
    models.append(copy.deepcopy(models[0]))
    # The optimizers are made before the wrapper is.
    optimizers = [torch.optim.LBFGS(model.parameters(), 0.1, max_iter=5) for model in models]
    steps = [ort_module(WithLoss, models[0], nn.CrossEntropyLoss())]
    steps.append(WithLoss(models[1], nn.CrossEntropyLoss()))
    data, target = batch()
    for step, optimizer in zip(steps, optimizers):

        def closure(step: nn.Module = step, optimizer: torch.optim.Optimizer = optimizer) -> Tensor:
            optimizer.zero_grad()
            loss = step(data, target)
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
    torch.testing.assert_close(models[0].state_dict(), models[1].state_dict(), rtol=1e-3, atol=1e-4)
    assert steps[0].report()["signatures"][0]["ort_calls"] > 6


class Penalised(WithLoss):
    """Another step of the same model, with keyword arguments."""

    def forward(self, **batch: Tensor) -> Tensor:
        loss = self.criterion(self.model(batch["data"]), batch["target"])
        return loss + 0.1 * self.model[0].weight.pow(2).sum()


def test_two_steps_share_a_model_whose_copies_and_loads_are_its_own() -> None:
    model = mlp(8, 16, 4)
    reference, average = copy.deepcopy(model), copy.deepcopy(model)
    criterion = nn.CrossEntropyLoss()
    plain, penalised = (
        ort_module(WithLoss, model, criterion),
        ort_module(Penalised, model, criterion),
    )
    for number in range(4):
        data, target = batch()
        expected = WithLoss(reference, criterion)(data, target)
        expected = expected + Penalised(reference, criterion)(data=data, target=target)
        found = plain(data, target) + penalised(data=data, target=target)
        torch.testing.assert_close(found, expected)
        for one, loss in ((model, found), (reference, expected)):
            one.zero_grad()
            loss.backward()
            with torch.no_grad():
                for parameter in one.parameters():
                    # Written behind the back of the version counter.
                    parameter.data.sub_(0.1 * parameter.grad)
        if number == 1:
            model.load_state_dict(average.state_dict())
            reference.load_state_dict(average.state_dict())
        copy.deepcopy(model)(data)
        pickle.loads(pickle.dumps(model))(data)
    torch.testing.assert_close(model.state_dict(), reference.state_dict())
    for step in (plain, penalised):
        assert step.report()["signatures"][0]["ort_calls"] == 3
        with pytest.raises(TypeError, match="copy the model"):
            copy.deepcopy(step)
        with pytest.raises(TypeError, match="save the model"):
            pickle.dumps(step)


class Checkpointed(nn.Module):
    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.first, self.last, self.reentrant = nn.Linear(8, 8), nn.Linear(8, 4), reentrant

    def forward(self, data: Tensor) -> Tensor:
        hidden = self.first(data)
        return checkpoint(self.tail, hidden, use_reentrant=self.reentrant)

    def tail(self, hidden: Tensor) -> Tensor:
        return self.last(torch.tanh(hidden))


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_checkpointed_model_trains_as_eagerly(reentrant: bool) -> None:
    twins = Twins(Checkpointed(reentrant), nn.CrossEntropyLoss())
    for _ in range(3):
        twins.step(*batch())
    assert reentrant or twins.ran_on_ort() == 2


HOOKS: dict[str, Callable[[nn.Module, Callable[..., object]], object]] = {
    "before forward": lambda layer, hook: layer.register_forward_pre_hook(hook),
    "after forward": lambda layer, hook: layer.register_forward_hook(hook),
    "after backward": lambda layer, hook: layer.register_full_backward_hook(hook),
}


@pytest.mark.parametrize("name", HOOKS)
def test_hooks_that_are_there_from_the_start_run_in_every_step(name: str) -> None:
    twins = Twins(mlp(8, 4), nn.CrossEntropyLoss())
    calls: list[nn.Module] = []
    for model in (twins.model, twins.reference):
        HOOKS[name](model[0], lambda layer, *_: calls.append(layer))
    for _ in range(4):
        twins.step(*batch())
    assert [layer is twins.model[0] for layer in calls].count(True) == len(calls) / 2 == 4


def test_hooks_on_outputs_run() -> None:
    step = ort_module(WithLoss, mlp(8, 4), nn.CrossEntropyLoss())
    calls: list[float] = []
    for _ in range(3):
        loss = step(*batch())
        loss.register_hook(lambda gradient: calls.append(gradient.item()))
        (loss * 3).backward()
    assert calls == [3.0, 3.0, 3.0]
    assert step.report()["signatures"][0]["ort_calls"] == 2


class Frozen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 4)
        self.drop, self.times = nn.Dropout(0.0), 1

    def forward(self, data: Tensor) -> Tensor:
        hidden = self.norm(self.first(data))
        for _ in range(self.times):
            hidden = torch.tanh(hidden) + hidden.data
        return self.last(self.drop(hidden))


CHANGES: dict[str, Callable[[Frozen], object]] = {
    "a BatchNorm goes into eval mode": lambda model: model.norm.eval(),
    "the p of a dropout": lambda model: setattr(model.drop, "p", 1.0),
    "the count of a loop": lambda model: setattr(model, "times", 3),
    "all of the model goes into eval mode": lambda model: model.eval(),
    "another momentum of a BatchNorm": lambda model: setattr(model.norm, "momentum", None),
}


def test_a_change_inside_of_the_model_is_followed_and_taken_back() -> None:
    twins = Twins(Frozen(), nn.CrossEntropyLoss())
    for _ in range(2):
        twins.step(*batch())
    for change in CHANGES.values():
        for model in (twins.model, twins.reference):
            change(model)
        for _ in range(2):
            twins.step(*batch())
    assert twins.backends == ["ort"] * (1 + len(CHANGES))
    assert twins.ran_on_ort() == 1 + len(CHANGES)


def test_a_model_that_is_wrapped_before_it_is_set_to_train_trains() -> None:
    twins = Twins(Frozen().eval(), nn.CrossEntropyLoss())
    for training in (False, False, True, True):
        for model in (twins.model, twins.reference):
            model.train(training)
        twins.step(*batch())
    assert twins.model.norm.num_batches_tracked == 2
    assert twins.backends == ["ort", "ort"]
    assert twins.ran_on_ort() == 2


@pytest.mark.parametrize("power", [1, 2])
def test_a_penalty_on_the_weights_is_added_outside(power: int) -> None:
    models = [mlp(8, 16, 4)]
    models.append(copy.deepcopy(models[0]))
    steps = [ort_module(WithLoss, models[0], nn.CrossEntropyLoss())]
    steps.append(WithLoss(models[1], nn.CrossEntropyLoss()))
    optimizers = [torch.optim.SGD(model.parameters(), 0.1, momentum=0.9) for model in models]
    for _ in range(4):
        data, target = batch()
        for model, step, optimizer in zip(models, steps, optimizers):
            optimizer.zero_grad()
            penalty = sum(weight.abs().pow(power).sum() for weight in model.parameters())
            (step(data, target) + 0.01 * penalty).backward()
            optimizer.step()
    torch.testing.assert_close(models[0].state_dict(), models[1].state_dict())
    assert steps[0].report()["signatures"][0]["ort_calls"] == 3


def test_another_tensor_in_a_closure_is_followed() -> None:
    scale = torch.ones(4)

    class Scaled(WithLoss):
        def forward(self, data: Tensor, target: Tensor) -> Tensor:
            return self.criterion(self.model(data) * scale, target)

    twins = Twins(mlp(8, 4), nn.CrossEntropyLoss(), kind=Scaled)
    for number in range(4):
        if number == 2:
            scale = torch.tensor([1.0, 2.0, 3.0, 4.0])
        twins.step(*batch())
    assert twins.ran_on_ort() == 2


class Pair(NamedTuple):
    data: Tensor
    target: Tensor


@dataclass
class Labelled:
    data: Tensor
    target: Tensor


class OfOneArgument(WithLoss):
    def forward(self, batch: Pair | Labelled) -> Tensor:
        return super().forward(batch.data, batch.target)


@pytest.mark.parametrize("kind", [Pair, Labelled])
def test_a_batch_of_named_parts_is_taken_apart(kind: type[Pair | Labelled]) -> None:
    twins = Twins(mlp(8, 4), nn.CrossEntropyLoss(), kind=OfOneArgument)
    for size in (6, 6, 3, 6):
        twins.step(kind(*batch(size)))
    assert twins.ran_on_ort() == 2


class Asks(WithLoss):
    """Asks autograd for gradients on the way."""

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        loss = super().forward(data, target)
        (gradient,) = torch.autograd.grad(loss, self.model[0].weight, create_graph=True)
        return loss + gradient.pow(2).sum()


def test_gradients_inside_of_forward_run_eagerly() -> None:
    twins = Twins(mlp(8, 4), nn.CrossEntropyLoss(), kind=Asks)
    for _ in range(3):
        twins.step(*batch())
    assert "autograd.grad" in twins.reasons[0]


class Mixed(nn.Module):
    """Takes an array, and returns numbers and constants beside the loss."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: object, target: Tensor) -> tuple[object, ...]:
        data = torch.as_tensor(data, dtype=torch.float32)
        loss = F.cross_entropy(self.model(data), target)
        return loss, len(target), "text", torch.ones(2)


def test_arrays_numbers_and_constants() -> None:
    step = ort_module(Mixed, mlp(8, 4))
    for _ in range(3):
        data, target = batch()
        for given in (data, data.numpy()):
            found, expected = step(given, target), Mixed(step._wrapper.model)(given, target)
            torch.testing.assert_close(found[0], expected[0])
            assert found[1:3] == expected[1:3]
            assert torch.equal(found[3], expected[3])
    assert isinstance(data.numpy(), numpy.ndarray)
    # These are the batch: none of them comes again.
    reasons = [row["reason"] for row in step.report()["signatures"] if row["backend"] == "eager"]
    assert any("ndarray" in reason for reason in reasons)


def test_a_seed_reproduces_dropout() -> None:
    model = mlp(8, 64, 4, last=[nn.Dropout(0.5)])
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    data, target = batch()
    step(data, target)
    found = []
    for seed in (1, 2, 1):
        torch.manual_seed(seed)
        found.append(step(data, target).item())
    assert found[0] == found[2] != found[1]
