"""What `ort_module` takes, and what its step is to who takes it for its modules."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import WithLoss, mlp

from ortwrap.runtime import OrtwrapWarning, ort_module


def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(6, 8), torch.randint(0, 4, (6,))


class Weighted(nn.Module):
    """A criterion without a tensor, whose weight the script changes."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, scores: Tensor, target: Tensor) -> Tensor:
        return nn.functional.cross_entropy(scores, target) * self.weight


def test_a_criterion_that_is_made_anew_each_epoch_and_then_changed_is_followed() -> None:
    model = mlp(8, 4)
    for epoch in range(3):
        criterion = Weighted(1.0)
        # The step of the last epoch is in use while this one is made.
        step = ort_module(WithLoss, model, criterion)
        criterion.weight = 0.5 * epoch
        for _ in range(3):
            given = batch()
            torch.testing.assert_close(step(*given), WithLoss(model, criterion)(*given))
    assert sum(row["ort_calls"] for row in step.report()["signatures"]) == 6


def test_two_criteria_that_are_equal_at_first_are_two() -> None:
    model, criteria = mlp(8, 4), (Weighted(1.0), Weighted(1.0))
    steps = [ort_module(WithLoss, model, criterion) for criterion in criteria]
    for turn in range(4):
        given = batch()
        for step, criterion in zip(steps, criteria):
            loss = step(*given)
            torch.testing.assert_close(loss, WithLoss(model, criterion)(*given))
            loss.backward()
        criteria[1].weight = 3.0 if turn else 1.0
    assert steps[0] is not steps[1]
    assert ort_module(WithLoss, model, criteria[0]) is steps[0]
    assert sum(row["ort_calls"] for row in steps[0].report()["signatures"]) >= 5


class Declares(WithLoss):
    """A step that its user makes, and that says what its graph depends on."""

    factor = 1.0

    def graph_depends_on(self) -> float:
        return FACTORS[0]

    def forward(self, data: Tensor, target: Tensor) -> Any:
        return super().forward(data, target) * self.factor


FACTORS = [1.0]


def test_a_module_is_a_step_of_its_own() -> None:
    module = Declares(mlp(8, 4, last=[nn.Dropout(0.0)]), nn.CrossEntropyLoss())
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    names = list(module.state_dict())
    for turn in range(6):
        module.factor = 2.0 if turn > 3 else 1.0
        given = batch()
        step = ort_module(module)
        loss = step(*given)
        torch.testing.assert_close(loss, module(*given))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert step is ort_module(module)
    report = step.report()
    assert (report["class"], report["modules"]) == ("Declares", ["Declares"])
    assert [row["ort_calls"] for row in report["signatures"]] == [3, 1]
    assert list(module.state_dict()) == names
    FACTORS[0] = 2.0
    step(*batch())
    assert len(step.report()["signatures"]) == 3


def test_a_module_that_is_its_own_step_is_collected() -> None:
    module = WithLoss(mlp(8, 4), nn.CrossEntropyLoss())
    reference = weakref.ref(module)
    for _ in range(3):
        ort_module(module)(*batch()).backward()
    del module
    gc.collect()
    assert reference() is None


def test_a_compiled_module_is_a_step_of_its_own() -> None:
    module = WithLoss(mlp(8, 4), nn.CrossEntropyLoss())
    step = ort_module(torch.compile(module, backend="eager"))
    for _ in range(3):
        given = batch()
        torch.testing.assert_close(step(*given), module(*given))
    assert step.report()["signatures"][0]["ort_calls"] == 2


@pytest.mark.parametrize(
    "given",
    [(mlp(8, 4), nn.CrossEntropyLoss()), (nn.functional.cross_entropy, mlp(8, 4)), (int,)],
    ids=["modules", "a function", "no class of a module"],
)
def test_who_gives_no_step_is_told_how(given: Any) -> None:
    with pytest.raises(TypeError, match=r"ort_module\(ModuleWithLoss, model, criterion\)"):
        ort_module(*given)


def test_a_step_sets_modes_and_forgets_gradients_as_its_modules_do() -> None:
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    step(*batch()).backward()
    step.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert step.eval() is step
    assert not model.training
    assert not model[0].training
    assert step.train() is step
    assert model[0].training
    with pytest.warns(OrtwrapWarning, match="leaves the mode of its modules alone"):
        step.train(False)
    assert model.training


def test_a_step_has_nothing_to_save_and_to_clip_and_says_so() -> None:
    step = ort_module(WithLoss, mlp(8, 4), nn.CrossEntropyLoss())
    with pytest.raises(TypeError, match="save the model"):
        step.state_dict()
    with pytest.warns(OrtwrapWarning, match="no parameters of its own"):
        assert list(step.parameters()) == []


def test_a_step_adds_nothing_to_a_module_that_holds_it() -> None:
    model = mlp(8, 4)
    around = nn.ModuleDict({"model": model})
    names = list(around.state_dict())
    around["step"] = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    assert list(around.state_dict()) == names
    assert len(list(around.parameters())) == 2
