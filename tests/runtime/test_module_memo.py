"""One wrapper for one class and modules, for as long as the modules live."""

from __future__ import annotations

import copy
import functools
import gc
import pickle
import weakref
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import WithLoss, mlp

from ortwrap.runtime import OrtwrapWarning, guards, ort_module, report, settings
from ortwrap.runtime.watch import Watch


def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(6, 8), torch.randint(0, 4, (6,))


def exports(step: nn.Module) -> int:
    return len(step.report()["signatures"])


def test_the_same_wrapper_while_it_is_held() -> None:
    model = mlp(8, 4)
    criterion = nn.CrossEntropyLoss()
    assert ort_module(WithLoss, model, criterion) is ort_module(WithLoss, model, criterion)


def make_weighted(scale: float) -> object:
    return lambda out, target: F.cross_entropy(out * scale, target)


class Smoothed(nn.Module):
    """Keeps what it compared the last batch with, as published criteria do."""

    def __init__(self) -> None:
        super().__init__()
        self.distribution: Tensor | None = None

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        self.distribution = F.one_hot(target, output.shape[1]).to(output) * 0.9 + 0.025
        return F.kl_div(output.log_softmax(1), self.distribution, reduction="sum")


def test_a_criterion_that_keeps_a_tensor_is_told_apart_by_itself() -> None:
    model, criterion = mlp(8, 4), Smoothed()
    for _ in range(3):
        data, target = batch()
        loss = ort_module(WithLoss, model, criterion)(data, target)
        torch.testing.assert_close(loss, Smoothed()(model(data), target))
        assert criterion.distribution is not None


class Logged(nn.Module):
    """Collects its own losses."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        loss = F.cross_entropy(output, target)
        self.losses.append(loss.item())
        return loss


def test_criteria_that_collect_are_two_even_while_they_are_empty() -> None:
    model, first, second = mlp(8, 4), Logged(), Logged()
    assert ort_module(WithLoss, model, first) is not ort_module(WithLoss, model, second)


@pytest.mark.parametrize(
    "make",
    [
        nn.CrossEntropyLoss,
        lambda: nn.CrossEntropyLoss(reduction="sum"),
        lambda: F.cross_entropy,
        lambda: lambda out, target: F.cross_entropy(out, target),
        lambda: make_weighted(2.0),
        lambda: functools.partial(F.cross_entropy, reduction="sum"),
    ],
    ids=["module", "module with options", "function", "lambda", "closure", "partial"],
)
def test_a_criterion_made_anew_each_epoch_counts_as_the_same(make: object) -> None:
    model = mlp(8, 4)
    for _ in range(3):
        step = ort_module(WithLoss, model, make())
        step(*batch()).backward()
        del step
    rows = ort_module(WithLoss, model, make()).report()["signatures"]
    assert [(row["backend"], row["calls"]) for row in rows] == [("ort", 3)]


def test_criteria_that_differ_have_wrappers_of_their_own() -> None:
    model = mlp(8, 4)
    data, target = batch()
    losses = {}
    for scale in (1.0, 2.0):
        for _ in range(2):
            losses[scale] = ort_module(WithLoss, model, make_weighted(scale))(data, target)
    torch.testing.assert_close(losses[2.0], F.cross_entropy(model(data) * 2, target))
    torch.testing.assert_close(losses[1.0], F.cross_entropy(model(data), target))


def test_a_criterion_that_calls_itself() -> None:
    def loss(out: Tensor, target: Tensor, times: int = 2) -> Tensor:
        below = loss(out, target, times - 1) if times > 1 else 0.0
        return F.cross_entropy(out, target) + below

    step = ort_module(WithLoss, mlp(8, 4), loss)
    data, target = batch()
    assert step(data, target) > 0


def test_functions_that_differ_in_an_attribute_are_two() -> None:
    def make(scale: float) -> Any:
        def loss(out: Tensor, target: Tensor) -> Tensor:
            return F.cross_entropy(out, target) * scale

        loss.scale = scale  # type: ignore[attr-defined]
        return loss

    model, same = mlp(8, 4), make(1.0)
    assert ort_module(WithLoss, model, same) is ort_module(WithLoss, model, same)
    assert ort_module(WithLoss, model, same) is not ort_module(WithLoss, model, make(1.0))


def test_a_criterion_with_a_weight_is_known_by_identity() -> None:
    model = mlp(8, 4)
    data, target = batch()
    for weight in (torch.ones(4), torch.tensor([1.0, 2.0, 3.0, 4.0])):
        for _ in range(2):
            loss = ort_module(WithLoss, model, nn.CrossEntropyLoss(weight=weight))(data, target)
            torch.testing.assert_close(loss, F.cross_entropy(model(data), target, weight=weight))


def test_a_model_that_is_rebuilt_is_exported_again_and_the_old_one_collected() -> None:
    references = []
    for _ in range(3):
        model = mlp(8, 4)
        references.append(weakref.ref(model))
        for _ in range(3):
            step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
            data, target = batch()
            loss = step(data, target)
            torch.testing.assert_close(loss, F.cross_entropy(model(data), target))
            loss.backward()
        assert step.report()["signatures"][0]["ort_calls"] == 2
        del model, step, loss
        gc.collect()
    assert [reference() for reference in references] == [None, None, None]


def test_a_backward_after_the_wrapper_is_gone() -> None:
    model = mlp(8, 4)
    for _ in range(3):
        loss = ort_module(WithLoss, model, nn.CrossEntropyLoss())(*batch())
        gc.collect()
        loss.backward()
    assert model[0].weight.grad is not None


def test_the_users_model_is_not_changed() -> None:
    model = mlp(8, 4)
    before = (list(model.state_dict()), sorted(vars(model)), list(model.named_modules()))
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    for _ in range(3):
        step(*batch()).backward()
    assert before == (list(model.state_dict()), sorted(vars(model)), list(model.named_modules()))
    copied = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    torch.testing.assert_close(copied.state_dict(), model.state_dict())


def test_a_wrapper_made_at_each_step_is_not_set_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `training_step` does it; the model keeps what guards it, and gives it to no copy."""
    model = mlp(8, 4)
    made: list[Watch] = []

    class CountedWatch(Watch):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(guards, "Watch", CountedWatch)
    criterion = nn.CrossEntropyLoss()
    for _ in range(8):
        ort_module(WithLoss, model, criterion)(*batch()).backward()
    settled = len(made)
    assert settled < 6
    for _ in range(8):
        data, target = batch()
        loss = ort_module(WithLoss, model, criterion)(data, target)
        torch.testing.assert_close(loss, F.cross_entropy(model(data), target))
    assert len(made) == settled
    model.scale = 2.0
    model[0].weight = nn.Parameter(torch.zeros(4, 8))
    loss = ort_module(WithLoss, model, criterion)(data, target)
    torch.testing.assert_close(loss, F.cross_entropy(model(data), target))
    saved = pickle.dumps(model)
    assert b"ortwrap.runtime" not in saved
    for other in (copy.deepcopy(model), pickle.loads(saved)):
        torch.testing.assert_close(other.state_dict(), model.state_dict())
        ort_module(WithLoss, other, criterion)(*batch()).backward()
    made.clear()
    reference = weakref.ref(model)
    del model, loss, other
    gc.collect()
    assert reference() is None


def test_a_wrapper_kept_on_a_module_adds_nothing_to_it() -> None:
    class Trainer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = mlp(8, 4)
            self.step = ort_module(WithLoss, self.model, nn.CrossEntropyLoss())

    trainer = Trainer()
    assert list(trainer.state_dict()) == [f"model.{name}" for name in trainer.model.state_dict()]
    assert len(list(trainer.parameters())) == 2
    trainer.eval()
    assert trainer.step.training is False


def test_an_ema_copy_does_not_follow_the_model() -> None:
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    for _ in range(2):
        step(*batch())
    average = copy.deepcopy(model)
    with torch.no_grad():
        model[0].weight.zero_()
    data, target = batch()
    torch.testing.assert_close(step(data, target), F.cross_entropy(model(data), target))
    other = ort_module(WithLoss, average, nn.CrossEntropyLoss())
    for _ in range(2):
        torch.testing.assert_close(other(data, target), F.cross_entropy(average(data), target))


def test_wrappers_are_neither_copied_nor_saved() -> None:
    step = ort_module(WithLoss, mlp(8, 4), nn.CrossEntropyLoss())
    with pytest.raises(TypeError, match="copy the model"):
        copy.deepcopy(step)
    with pytest.raises(TypeError, match="save the model"):
        pickle.dumps(step)


def test_a_criterion_that_is_made_anew_for_each_batch_is_not_exported_for_ever() -> None:
    model = nn.Linear(8, 4)
    data, target = torch.randn(6, 8), torch.randint(0, 4, (6,))

    def train() -> int:
        exported = 0
        for _ in range(12):
            step = ort_module(WithLoss, model, nn.CrossEntropyLoss(weight=torch.rand(4)))
            step(data, target).backward()
            exported += step.report()["signatures"][0]["backend"] == "ort"
        return exported

    with pytest.warns(OrtwrapWarning, match="is made anew for every call or two"):
        exported = train()
    assert exported <= 9
    other = ort_module(WithLoss, nn.Linear(8, 4), nn.CrossEntropyLoss())
    other(data, target).backward()
    assert other.report()["signatures"][0]["backend"] == "ort"


class Near(nn.Module):
    """A loss that keeps the weights near those of another time."""

    def __init__(self, model: nn.Module, start: dict[str, Tensor]) -> None:
        super().__init__()
        self.model = model
        self.start = start

    def forward(self, data: Tensor) -> Tensor:
        far = sum(
            (w - self.start[name]).square().sum() for name, w in self.model.named_parameters()
        )
        return self.model(data).square().mean() + far


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def test_a_dict_that_is_made_anew_does_not_live_on_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORTWRAP_BACKEND", "eager")
    model, kept = mlp(8, 4), []
    for _ in range(3 * settings.MAX_GRAPHS):
        start = weights(model)
        kept.append(weakref.ref(next(iter(start.values()))))
        ort_module(Near, model, start)(batch()[0]).backward()
    del start
    gc.collect()
    alive = [reference() is not None for reference in kept]
    assert alive == [False] * (len(kept) - settings.MAX_GRAPHS) + [True] * settings.MAX_GRAPHS


def test_a_dict_that_is_held_keeps_its_wrapper() -> None:
    model, data = mlp(8, 4), batch()[0]
    start = weights(model)
    held = ort_module(Near, model, start)
    others = [weights(model) for _ in range(2 * settings.MAX_GRAPHS)]
    for other in others:
        ort_module(Near, model, other)
    assert ort_module(Near, model, start) is held
    torch.testing.assert_close(held(data), Near(model, start)(data))


def test_a_wrapper_collected_while_a_report_is_made_is_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The collector runs when it likes, and other wrappers of the process come after this one."""

    class Own(WithLoss):
        pass

    model, criterion = mlp(8, 4), nn.CrossEntropyLoss()
    model.itself = [model]  # type: ignore[assignment]
    ort_module(Own, model, criterion)(*batch())
    later = mlp(8, 4)
    kept = ort_module(Own, later, criterion)
    kept(*batch())
    of_wrapper = report.of_wrapper

    def collected_meanwhile(dispatcher: Any) -> dict[str, Any]:
        gc.collect()
        return of_wrapper(dispatcher)

    monkeypatch.setattr(report, "of_wrapper", collected_meanwhile)
    gc.disable()
    try:
        del model
        rows = [row for row in report.of_process()["wrappers"] if row["class"] == "Own"]
    finally:
        gc.enable()
    assert [len(row["signatures"]) for row in rows] == [1, 1]
