"""What changes between calls is followed: by a graph of its own, by an input, or by eager."""

from __future__ import annotations

import contextlib
import functools
import math
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins, WithLoss, mlp

from ortwrap.runtime import OrtwrapWarning, ort_module
from ortwrap.runtime.settings import MAX_GRAPHS


def batch(size: int = 6) -> tuple[Tensor, Tensor]:
    return torch.randn(size, 8), torch.randint(0, 4, (size,))


@contextlib.contextmanager
def warned(text: str) -> Iterator[None]:
    """Demands one warning, and only one, that contains `text`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    messages = [str(one.message) for one in caught if issubclass(one.category, OrtwrapWarning)]
    assert len(messages) == 1, messages
    assert text in messages[0]


class Switch(nn.Module):
    """A step with one more argument, which `use` says what to do with."""

    use: Callable[..., Tensor]

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, target: Tensor, extra: object = None) -> Tensor:
        return F.cross_entropy(type(self).use(self.model(data), extra), target)


def step_kind(use: Callable[..., Tensor]) -> type[Switch]:
    return type("Step", (Switch,), {"use": staticmethod(use)})


def test_a_bool_that_flips_gets_a_graph_for_each_value() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, flag: out * 2 if flag else out))
    for flag in (True, False, True, False, True):
        twins.step(*batch(), flag)
    assert twins.backends == ["ort", "ort"]
    assert twins.ran_on_ort() == 3


def test_a_string_chooses_its_graph() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, name: out.exp() if name == "e" else out))
    for name in ("e", "f", "e", "f"):
        twins.step(*batch(), name)
    assert twins.backends == ["ort", "ort"]


def test_none_that_becomes_a_tensor_is_followed() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, bias: out if bias is None else out + bias))
    for bias in (None, torch.randn(4), None, torch.randn(4), torch.randn(4)):
        twins.step(*batch(), bias)
    assert twins.backends == ["ort", "ort"]


def test_an_argument_that_is_left_out_is_followed() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, bias: out if bias is None else out + bias))
    twins.step(*batch())
    twins.step(*batch(), extra=torch.randn(4))
    twins.step(*batch())
    twins.step(*batch(), extra=torch.randn(4))
    assert twins.ran_on_ort() == 2


def test_a_float_that_keeps_changing_becomes_an_input() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, weight: out * weight))
    for weight in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        twins.step(*batch(), weight)
    assert twins.backends == ["ort", "ort"]
    assert twins.ran_on_ort() == 2


def test_numbers_of_numpy_are_numbers() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, weight: weight * out))
    for weight in np.exp(np.arange(6) / -3):
        twins.step(*batch(), weight)
    for count in np.arange(6):
        twins.step(*batch(), count)
    for weight in np.linspace(0.1, 0.6, 6, dtype=np.float32):
        twins.step(*batch(), weight)
    assert set(twins.backends) == {"ort"}
    assert twins.ran_on_ort() == 6


def test_an_int_that_keeps_changing_becomes_an_input() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, epoch: out * (epoch + 1) / 10))
    for epoch in range(6):
        twins.step(*batch(), epoch)
    assert twins.backends == ["ort", "ort"]
    assert twins.ran_on_ort() == 2


def test_a_number_that_python_branches_on_gets_a_graph_for_each_value() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, epoch: out * 2 if epoch > 1 else out))
    for epoch in (0, 1, 2, 3, 0, 1, 2, 3):
        twins.step(*batch(), epoch)
    assert twins.ran_on_ort() >= 4
    assert set(twins.backends) == {"ort"}


def test_a_number_that_python_needs_and_that_never_repeats_ends_in_eager() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, epoch: out * float(f"{epoch}")))
    for epoch in range(1, MAX_GRAPHS + 4):
        twins.step(*batch(), epoch)
    assert any("keep changing" in reason for reason in twins.reasons)


def test_a_function_with_some_of_its_arguments_may_be_an_argument() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, scale: scale(out) * 1.5))
    weight = torch.rand(4)
    for scale in (
        functools.partial(torch.mul, other=2.0),
        functools.partial(torch.mul, other=3.0),
        functools.partial(torch.mul, other=4.0),
        functools.partial(torch.mul, weight),
        functools.partial(torch.mul, weight * 2),
        functools.partial(torch.sub, weight),
    ):
        twins.step(*batch(), scale)
        twins.step(*batch(), scale)
    assert set(twins.backends) == {"ort"}
    assert twins.ran_on_ort() >= 6


def test_a_partial_function_with_attributes_is_not_seen_through() -> None:
    scale = functools.partial(torch.mul, other=2.0)
    scale.factor = 3.0  # type: ignore[attr-defined]
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, scale: scale(out) * scale.factor))
    twins.step(*batch(), scale)
    twins.step(*batch(), scale)
    assert twins.ran_on_ort() == 0


@pytest.mark.parametrize(
    ("others", "clue"),
    [
        (lambda i: {"names": [f"picture {i}", "another"]}, ", as the text of 'names' does"),
        (lambda i: {"names": ["picture"] * i}, ""),
        (lambda i: {"names": f"picture {i}", "sizes": list(range(i))}, ""),
    ],
)
def test_the_reason_names_text_that_keeps_changing(
    others: Callable[[int], dict[str, Any]], clue: str
) -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, given: out * given["scale"]))
    for i in range(MAX_GRAPHS + 2):
        twins.step(*batch(), {"scale": 2.0, **others(i)})
    assert f"its calls keep changing{clue}: {MAX_GRAPHS} graphs were exported" in twins.reasons


@pytest.mark.parametrize("text", ["{}", "{!r}", "%s"])
def test_a_number_that_is_baked_in_through_text_is_found_out(text: str) -> None:
    def use(out: Tensor, epoch: int) -> Tensor:
        written = text % epoch if "%" in text else text.format(epoch)
        return out * len(written.replace("tensor", "").strip("()"))

    twins = Twins(mlp(8, 4), kind=step_kind(use))
    for epoch in (1, 20, 300, 4000, 1, 20, 300):
        twins.step(*batch(), epoch)


def test_a_dtype_that_changes_is_followed() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, scale: out * scale.float()))
    for scale in (torch.ones(4), torch.ones(4, dtype=torch.int64)) * 2:
        twins.step(*batch(), scale)
    assert twins.backends == ["ort", "ort"]


def test_a_rank_that_changes_is_followed() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, scale: out * scale))
    for scale in (torch.randn(4), torch.randn(6, 4), torch.randn(4), torch.randn(6, 4)):
        twins.step(*batch(), scale)
    assert twins.backends == ["ort", "ort"]


def test_a_size_of_one_is_told_from_larger_ones() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, scale: out * scale))
    for rows in (1, 6, 1, 6):
        twins.step(*batch(), torch.randn(rows, 4))
    assert twins.ran_on_ort() == 2


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4)
        self.scale = 1.0
        self.options = {"shift": 0.0}
        self.register_buffer("offset", torch.zeros(4))

    def forward(self, data: Tensor) -> Tensor:
        return self.linear(data) * self.scale + self.options["shift"] + self.offset


def both(twins: Twins) -> list[Scaled]:
    return [twins.model, twins.reference]


def test_an_attribute_that_changes_is_followed() -> None:
    twins = Twins(Scaled(), nn.CrossEntropyLoss())
    for scale in (1.0, 2.0, 1.0, 2.0):
        for model in both(twins):
            model.scale = scale
        twins.step(*batch())
    assert twins.ran_on_ort() == 2


def test_a_value_inside_a_dictionary_attribute_is_followed() -> None:
    twins = Twins(Scaled(), nn.CrossEntropyLoss())
    for shift in (0.0, 1.0, 0.0, 1.0):
        for model in both(twins):
            model.options["shift"] = shift
        twins.step(*batch())
    assert twins.ran_on_ort() == 2


def test_a_buffer_changed_in_place_or_replaced_is_followed() -> None:
    twins = Twins(Scaled(), nn.CrossEntropyLoss())
    twins.step(*batch())
    for model in both(twins):
        model.offset.fill_(1.0)
    twins.step(*batch())
    for model in both(twins):
        model.offset = torch.full((4,), -2.0)
    twins.step(*batch())
    assert twins.backends == ["ort"]
    assert twins.ran_on_ort() == 2


def test_the_criterions_attribute_is_followed() -> None:
    criterion = nn.CrossEntropyLoss()
    twins = Twins(mlp(8, 4), criterion)
    for reduction in ("mean", "sum", "mean", "sum"):
        criterion.reduction = reduction
        twins.step(*batch())
    assert twins.ran_on_ort() >= 1


FACTOR = 1.0


def test_a_global_that_changes_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, _: out * FACTOR))
    for factor in (1.0, 3.0, 1.0, 3.0):
        monkeypatch.setitem(globals(), "FACTOR", factor)
        twins.step(*batch())
    assert twins.ran_on_ort() == 2


class Value:
    """What a section of a configuration keeps for each of its names."""

    def __init__(self, held: Any) -> None:
        self.held = held


class Section:
    """A configuration as its libraries have it: attributes are items of a dictionary inside."""

    def __init__(self, **content: Any) -> None:
        made = {n: v if isinstance(v, Section) else Value(v) for n, v in content.items()}
        self.__dict__["content"] = made

    def __getattr__(self, name: str) -> Any:
        if name not in self.__dict__.get("content", ()):
            raise AttributeError(name)
        found = self.content[name]
        return found.held if isinstance(found, Value) else found

    def __setattr__(self, name: str, value: Any) -> None:
        self.content[name].held = value


CONFIG = Section(loss=Section(terms=Section(weight=1.0)))


def test_a_section_of_a_section_of_a_configuration_is_followed() -> None:
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, _: out * CONFIG.loss.terms.weight))
    for weight in (1.0, 3.0, 1.0, 3.0):
        CONFIG.loss.terms.weight = weight
        twins.step(*batch())
    assert twins.ran_on_ort() == 2


class Weighting:
    """A plain object that the loss asks for its weight."""

    def __init__(self) -> None:
        self.weight, self.asked_for = 1.0, 0

    def of(self, loss: Tensor) -> Tensor:
        return loss * self.weight

    def count(self) -> None:
        self.asked_for += 1


class Trainer:
    """The loss in one method, counters and an optimizer's state that other methods change."""

    def __init__(self) -> None:
        self.model = mlp(8, 4)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, 2)
        self.weighting = Weighting()
        self.steps, self.history = 0, []

    def compute_loss(self, data: Tensor, target: Tensor) -> Tensor:
        return self.weighting.of(F.cross_entropy(self.model(data), target))

    def forward(self) -> int:
        """Named as a module's, but the loss never calls it."""
        return self.steps + len(self.history)

    def step(self, data: Tensor, target: Tensor) -> float:
        loss = ort_module(TrainerWithLoss, self.model, self.compute_loss)(data, target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.weighting.count()
        self.steps += 1
        self.history.append(loss.item())
        return float(loss)


class TrainerWithLoss(nn.Module):
    """What the engine emits for a trainer whose loss a method computes."""

    def __init__(self, model: nn.Module, compute_loss: Callable[..., Tensor]) -> None:
        super().__init__()
        self.model = model
        self.compute_loss = compute_loss

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        return self.compute_loss(data, target)


def test_a_trainers_counters_are_no_guard_and_what_its_loss_asks_for_is() -> None:
    trainer = Trainer()
    data, target = batch()
    for _ in range(4):
        trainer.step(data, target)
    wrapper = ort_module(TrainerWithLoss, trainer.model, trainer.compute_loss)
    assert [row["ort_calls"] for row in wrapper.report()["signatures"]] == [3]
    trainer.weighting.weight = 3.0
    expected = 3 * F.cross_entropy(trainer.model(data), target).item()
    assert trainer.step(data, target) == pytest.approx(expected, rel=1e-5)
    assert len(wrapper.report()["signatures"]) == 2


def test_a_closure_that_changes_is_followed() -> None:
    factor = 1.0
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, _: out * factor))
    for factor in (1.0, 3.0, 1.0, 3.0):  # noqa: B007
        twins.step(*batch())
    assert twins.ran_on_ort() == 2


def test_a_frozen_child_stays_frozen_and_a_toggled_one_is_followed() -> None:
    twins = Twins(nn.Sequential(nn.Linear(8, 4), Mode()), nn.CrossEntropyLoss())
    for training in (True, False, True, False):
        for model in (twins.model, twins.reference):
            model[1].train(training)
        twins.step(*batch())
        assert twins.model.training
        assert twins.model[1].training is training
    assert twins.backends == ["ort", "ort"]


class Mode(nn.Module):
    def forward(self, data: Tensor) -> Tensor:
        return data * 2 if self.training else data


class OwnTrain(nn.Linear):
    """Its `train` means something else."""

    calls = 0

    def train(self, mode: bool = True) -> OwnTrain:
        type(self).calls += 1
        return self


def test_train_of_the_users_modules_is_not_called_for_a_module_around_the_step() -> None:
    model = nn.Sequential(OwnTrain(8, 4))
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    OwnTrain.calls = 0
    for _ in range(3):
        step(*batch()).backward()
    nn.ModuleList([step]).train()
    assert OwnTrain.calls == 0
    assert step.training is model.training is True


class Counted(torch.autograd.Function):
    """Scales by how often it has run."""

    calls = 0

    @staticmethod
    def forward(ctx: Any, data: Tensor) -> Tensor:
        Counted.calls += 1
        return data * Counted.calls

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


class Applied(nn.Linear):
    def forward(self, data: Tensor) -> Tensor:
        return Counted.apply(super().forward(data))  # type: ignore[no-any-return,no-untyped-call]


def test_what_a_function_of_autograd_counts_is_counted_once() -> None:
    step = ort_module(WithLoss, Applied(8, 4), nn.CrossEntropyLoss())
    Counted.calls = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OrtwrapWarning)
        for _ in range(4):
            step(*batch()).backward()
    assert Counted.calls == 4


def test_a_model_that_trains_in_eval_mode_does_so() -> None:
    twins = Twins(nn.Sequential(nn.Linear(8, 4), nn.Dropout(0.5)).eval(), nn.CrossEntropyLoss())
    for _ in range(3):
        twins.step(*batch())
    assert not twins.model.training
    assert twins.ran_on_ort() == 2


def test_without_gradients_the_wrapper_is_eager() -> None:
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    with torch.no_grad():
        assert step(*batch()).requires_grad is False
    assert step.report()["signatures"] == []


def test_autocast_entered_later_is_followed() -> None:
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    data, target = batch()
    plain = [step(data, target).item() for _ in range(2)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = [step(data, target).item() for _ in range(2)]
        expected = F.cross_entropy(model(data), target).item()
    assert mixed == [expected, expected]
    assert plain[1] == pytest.approx(plain[0], abs=1e-6)
    assert step(data, target).item() == pytest.approx(plain[0], abs=1e-6)


def test_replaced_parameters_are_followed() -> None:
    twins = Twins(mlp(8, 4), nn.CrossEntropyLoss())
    twins.step(*batch())
    twins.step(*batch())
    state = {name: torch.randn_like(value) for name, value in twins.model.state_dict().items()}
    for model in (twins.model, twins.reference):
        copied = {name: value.clone() for name, value in state.items()}
        model.load_state_dict(copied, assign=True)
    twins.optimizer = twins._optimizer(twins.model, 0.1)
    twins.reference_optimizer = twins._optimizer(twins.reference, 0.1)
    twins.step(*batch())
    twins.step(*batch())
    assert twins.backends == ["ort"]


def test_a_replaced_layer_is_followed() -> None:
    twins = Twins(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 4)), nn.CrossEntropyLoss())
    twins.step(*batch())
    twins.step(*batch())
    layer = nn.Linear(8, 4)
    for model in (twins.model, twins.reference):
        model[1] = nn.Linear(8, 4)
        model[1].load_state_dict(layer.state_dict())
    twins.step(*batch())
    twins.step(*batch())


def test_freezing_and_unfreezing_is_followed() -> None:
    twins = Twins(mlp(8, 8, 4), nn.CrossEntropyLoss())
    for frozen in (False, True, True, False, False):
        for model in (twins.model, twins.reference):
            model[0].requires_grad_(not frozen)
            for parameter in model.parameters():
                parameter.grad = None
        twins.step(*batch())
    assert twins.backends == ["ort", "ort"]


def test_double_after_the_export_is_followed() -> None:
    model = mlp(8, 1)
    step = ort_module(WithLoss, model, nn.MSELoss())
    data, target = torch.randn(4, 8), torch.randn(4, 1)
    for _ in range(2):
        step(data, target)
    model.double()
    for _ in range(2):
        loss = step(data.double(), target.double())
        torch.testing.assert_close(loss, F.mse_loss(model(data.double()), target.double()))


def test_a_hook_added_later_is_called() -> None:
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    for _ in range(2):
        step(*batch())
    calls: list[int] = []
    handle = model[0].register_forward_hook(lambda *_: calls.append(1))
    with warned("hook"):
        for _ in range(3):
            step(*batch())
    assert len(calls) == 3
    handle.remove()
    step(*batch())
    assert [row["backend"] for row in step.report()["signatures"]] == ["ort", "eager"]


def test_what_a_partial_binds_is_followed() -> None:
    loss = functools.partial(F.cross_entropy, label_smoothing=0.1)
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, loss)
    data, target = batch()
    for smoothing in (0.1, 0.1, 0.5, 0.5):
        loss.keywords["label_smoothing"] = smoothing
        expected = F.cross_entropy(model(data), target, label_smoothing=smoothing)
        torch.testing.assert_close(step(data, target), expected)
    assert [row["ort_calls"] for row in step.report()["signatures"]] == [1, 1]


def test_hooks_on_saved_tensors_are_called() -> None:
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    for _ in range(2):
        step(*batch())
    packed: list[int] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        packed.append(1)
        return tensor

    with warned("saved tensors"), torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        loss = step(*batch())
    assert packed
    loss.backward()
    step(*batch())
    assert [row["backend"] for row in step.report()["signatures"]] == ["ort", "eager"]
    assert step.report()["signatures"][0]["ort_calls"] == 2


def test_hooks_on_parameters_run_once_for_each_backward() -> None:
    model = mlp(8, 4)
    calls: list[int] = []
    model[0].weight.register_hook(lambda _: calls.append(1))
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    for _ in range(3):
        step(*batch()).backward()
    assert len(calls) == 3
    assert step.report()["signatures"][0]["ort_calls"] == 2


class Branching(nn.Module):
    def __init__(self, body: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4)
        self.body = body

    def forward(self, data: Tensor) -> Tensor:
        return self.body(self.linear(data))


BAKED = {
    "item": lambda out: out * out.sum().item(),
    "bool": lambda out: out if out.sum() > 0 else -out,
    "int": lambda out: out * int(out.sum() * 10),
    "tolist": lambda out: out * out.detach().sum(1).tolist()[0],
    "numpy": lambda out: out * float(out.detach().numpy().sum()),
    "python random": lambda out: out * random.random(),
    "numpy random": lambda out: out * __import__("numpy").random.rand(),
}


@pytest.mark.parametrize("name", BAKED)
def test_what_a_trace_would_freeze_runs_eagerly(name: str) -> None:
    twins = Twins(Branching(BAKED[name]), nn.CrossEntropyLoss())
    for _ in range(4):
        random.seed(0)
        __import__("numpy").random.seed(0)
        seeded = _Seeded(twins)
        seeded.step()
    assert set(twins.backends) == {"eager"}


class _Seeded:
    """Gives both twins the same draws from Python's and NumPy's generators."""

    def __init__(self, twins: Twins) -> None:
        self.twins = twins

    def step(self) -> None:
        data, target = batch()
        for call in (
            lambda: self.twins.kind(self.twins.reference, *self.twins.others)(data, target),
            lambda: self.twins.wrapper(data, target),
        ):
            random.seed(1)
            __import__("numpy").random.seed(1)
            self.results = [*getattr(self, "results", []), call().item()]
        assert self.results[0] == self.results[1]


SHAPES = {
    "len": lambda out: out.sum(1, keepdim=True) / len(out) + out,
    "int": lambda out: out * int(out.shape[0]),
    "float": lambda out: out / float(out.size(0)),
    "loop": lambda out: torch.stack([row * index for index, row in enumerate(out)]),
    "arithmetic": lambda out: out / out.shape[0] + out.numel(),
}


@pytest.mark.parametrize("name", SHAPES)
def test_sizes_that_python_used_are_right_for_every_batch(name: str) -> None:
    twins = Twins(Branching(SHAPES[name]), nn.CrossEntropyLoss(), lr=0.001)
    for size in (6, 6, 6, 3, 3, 6, 3, 5):
        twins.step(*batch(size), tolerance=1e-4)
    assert twins.ran_on_ort() >= 4


class Detached(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, data: Tensor) -> Tensor:
        hidden = self.first(data)
        with torch.no_grad():
            fixed = self.first(data)
        return self.second(hidden.detach() + fixed) + hidden[:, :4]


def test_the_gradient_really_stops_at_detach_and_no_grad() -> None:
    twins = Twins(Detached(), nn.CrossEntropyLoss())
    for _ in range(4):
        twins.step(*batch())


def test_a_tensor_in_a_closure_that_trains_runs_eagerly() -> None:
    outside = torch.randn(4, requires_grad=True)
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, _: out + outside))
    for _ in range(3):
        twins.step(*batch())
    assert "no parameter" in twins.reasons[0]


def test_a_tensor_in_a_closure_that_is_written_to_is_followed() -> None:
    outside = torch.zeros(4)
    twins = Twins(mlp(8, 4), kind=step_kind(lambda out, _: out * 1 + outside))
    for value in (0.0, 0.0, 5.0, 5.0):
        if outside[0] != value:
            outside.fill_(value)
        twins.step(*batch())
    assert twins.ran_on_ort() == 2


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4)
        self.calls = 0

    def forward(self, data: Tensor) -> Tensor:
        self.calls += 1
        return self.linear(data)


class Tally:
    """A helper of a step that counts its calls, in itself and in a list that is global."""

    calls_so_far: ClassVar[list[int]] = []

    def __init__(self) -> None:
        self.model = mlp(8, 4)
        self.calls = 0

    def in_itself(self, data: Tensor, target: Tensor) -> Tensor:
        self.calls += 1
        return F.cross_entropy(self.model(data), target)

    def in_a_list(self, data: Tensor, target: Tensor) -> Tensor:
        self.calls_so_far.append(self.calls)
        return F.cross_entropy(self.model(data), target)


@pytest.mark.parametrize("name", ["in_itself", "in_a_list"])
def test_what_a_helper_counts_is_counted_once_for_each_call(name: str) -> None:
    tally = Tally()
    Tally.calls_so_far.clear()
    helper = getattr(tally, name)
    with warned("forward changes"):
        for _ in range(6):
            ort_module(TrainerWithLoss, tally.model, helper)(*batch()).backward()
    assert tally.calls + len(Tally.calls_so_far) == 6


class Running:
    """An object that a step is given, and that counts the labels it has seen."""

    def __init__(self) -> None:
        self.seen = 0

    def weight(self, target: Tensor) -> float:
        self.seen += len(target)
        return 1.0 / self.seen


class Weighted(nn.Module):
    """A step whose loss asks an argument for a weight, and so changes it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, target: Tensor, running: Running) -> Tensor:
        return F.cross_entropy(self.model(data), target) * running.weight(target)


def test_an_argument_that_forward_changes_is_changed_in_every_step() -> None:
    model = mlp(8, 4)
    ours, theirs = Running(), Running()
    for _ in range(6):
        data, target = batch()
        loss = ort_module(Weighted, model)(data, target, ours)
        assert loss.item() == pytest.approx(Weighted(model)(data, target, theirs).item())
    assert ours.seen == theirs.seen == 36


def test_a_forward_that_counts_its_calls_counts_them_right() -> None:
    twins = Twins(Counting(), nn.CrossEntropyLoss())
    for _ in range(6):
        twins.step(*batch())
    assert twins.model.calls == 6
    assert "forward sets calls" in twins.reasons[0]


class Caching(nn.Module):
    """Fills a cache at its first call only."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4)
        self.cache: Tensor | None = None

    def forward(self, data: Tensor) -> Tensor:
        if self.cache is None:
            self.cache = torch.ones(4)
        return self.linear(data) + self.cache


def test_a_cache_that_is_filled_once_does_not_keep_a_model_off_ort() -> None:
    twins = Twins(Caching(), nn.CrossEntropyLoss())
    for _ in range(5):
        twins.step(*batch())
    assert twins.ran_on_ort() == 3


def test_trust_skips_the_guards_and_is_off_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    data, target = batch()
    found = []
    for trust in ("0", "1"):
        monkeypatch.setenv("ORTWRAP_TRUST", trust)
        model = Scaled()
        step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
        before = [step(data, target) for _ in range(2)][-1]
        model.scale = 5.0
        found.append((before, step(data, target), F.cross_entropy(model(data), target)))
    (_, mine, eager), (before, trusted, _) = found
    torch.testing.assert_close(mine, eager)
    torch.testing.assert_close(trusted, before)


class Reports(nn.Module):
    """Has a `log` that counts, as a LightningModule does, and asks a tensor for another one."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.reported = nn.Linear(8, 4), 0

    def log(self, name: str, value: float) -> None:
        self.reported += 1

    def forward(self, data: Tensor) -> Tensor:
        return self.layer(data).softmax(-1).log() + torch.log(data[:, :4].exp() + math.log(2.0))


class ReportsInForward(Reports):
    def forward(self, data: Tensor) -> Tensor:
        self.log("mean", 0.0)
        return super().forward(data)


@pytest.mark.parametrize("kind", [Reports, ReportsInForward])
def test_a_log_of_a_tensor_is_not_that_of_its_module(kind: type[Reports]) -> None:
    twins = Twins(kind(), nn.CrossEntropyLoss())
    for _ in range(6):
        for model in (twins.model, twins.reference):
            model.log("step", 1.0)
        twins.step(*batch())
    assert twins.model.reported == twins.reference.reported
    if kind is Reports:
        assert twins.backends == ["ort"]


class Scored(nn.Module):
    """Keeps a metric for its reports, as a LightningModule does."""

    def __init__(self) -> None:
        super().__init__()
        metrics = pytest.importorskip("torchmetrics.aggregation")
        self.layer, self.seen_so_far = nn.Linear(8, 4), metrics.SumMetric()

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        return self.layer(data)


class AsksItsMetric(Scored):
    def forward(self, data: torch.Tensor) -> torch.Tensor:
        return self.layer(data) * (1 + self.seen_so_far.sum_value)


@pytest.mark.parametrize("kind", [Scored, AsksItsMetric])
def test_a_metric_is_followed_where_forward_asks_it(kind: type[Scored]) -> None:
    twins = Twins(kind(), nn.CrossEntropyLoss())
    for step in range(5):
        for model in (twins.model, twins.reference):
            model.seen_so_far.update(torch.tensor(float(step)))
        twins.step(torch.randn(6, 8), torch.randint(0, 4, (6,)))
    if kind is Scored:
        assert twins.backends == ["ort"]
