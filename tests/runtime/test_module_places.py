"""Wherever what a forward reads may stand: when it changes, the step changes with it."""

from __future__ import annotations

import contextvars
import datetime
import enum
import fractions
import gc
import itertools
import os
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from twins import Twins, mlp

from ortwrap.runtime.watch import Watch

Read = Callable[[Tensor], Tensor]
Place = Callable[[], tuple[Read, Callable[[], object]]]

SCALE = 1.0
SCALES = contextvars.ContextVar("SCALES", default=1.0)


def batch(size: int = 6) -> tuple[Tensor, Tensor]:
    return torch.randn(size, 8), torch.randn(size, 4)


class Step(nn.Module):
    """A step whose loss is what `read` makes of a distance; each of its calls may be given one."""

    def __init__(self, model: nn.Module, read: Any = None) -> None:
        super().__init__()
        self.model, self.read = model, read

    def forward(self, data: Tensor, target: Tensor, given: Any = None) -> Tensor:
        distance = (self.model(data) - target).square().mean()
        return (given or self.read)(distance)


def scaled(loss: Tensor) -> Tensor:
    return loss * SCALE


class Term:
    """A term of a loss, with a weight."""

    def __init__(self) -> None:
        self.weight = 1.0

    def __call__(self, loss: Tensor) -> Tensor:
        return loss * self.weight


class Slots:
    __slots__ = ("scale",)

    def __init__(self) -> None:
        self.scale = 1.0


class Kind(enum.Enum):
    SCALES = [1.0]  # noqa: RUF012  # what is tested is that it changes


class Values(list):  # type: ignore[type-arg]
    """A list with an attribute."""

    scale = 1.0


class Open:
    """A class that gets its attribute late."""


def slots() -> tuple[Read, Callable[[], object]]:
    thing = Slots()
    return lambda loss: loss * thing.scale, lambda: setattr(thing, "scale", 2.0)


def names_in_a_loop() -> tuple[Read, Callable[[], object]]:
    thing = types.SimpleNamespace(one=1.0, two=1.0)

    def read(loss: Tensor) -> Tensor:
        for name in ("one", "two"):
            loss = loss * getattr(thing, name)
        return loss

    return read, lambda: setattr(thing, "two", 2.0)


def function_in_a_dictionary() -> tuple[Read, Callable[[], object]]:
    table = {"scaled": scaled}
    return lambda loss: table["scaled"](loss), lambda: globals().update(SCALE=2.0)


def object_in_a_list() -> tuple[Read, Callable[[], object]]:
    terms = [Term(), Term()]
    return lambda loss: terms[1](terms[0](loss)), lambda: setattr(terms[1], "weight", 2.0)


def import_in_a_function() -> tuple[Read, Callable[[], object]]:
    def read(loss: Tensor) -> Tensor:
        import scales_of_a_test

        return loss * scales_of_a_test.SCALE

    return read, lambda: setattr(sys.modules["scales_of_a_test"], "SCALE", 2.0)


def import_of_a_name() -> tuple[Read, Callable[[], object]]:
    def read(loss: Tensor) -> Tensor:
        from scales_of_a_test import SCALE

        return loss * SCALE

    return read, lambda: setattr(sys.modules["scales_of_a_test"], "SCALE", 2.0)


def order_of_a_dictionary() -> tuple[Read, Callable[[], object]]:
    table = OrderedDict(one=1.0, two=2.0)
    return lambda loss: loss * next(iter(table.values())), lambda: table.move_to_end("one")


def keys_of_a_dictionary() -> tuple[Read, Callable[[], object]]:
    table: dict[str, None] = {"one": None}

    def change() -> None:
        table["two"] = table.pop("one")

    return lambda loss: loss * (1.0 if "one" in table else 2.0), change


def late_attribute_of_a_class() -> tuple[Read, Callable[[], object]]:
    return lambda loss: loss * getattr(Open, "scale", 1.0), lambda: setattr(Open, "scale", 2.0)


def attribute_of_a_function() -> tuple[Read, Callable[[], object]]:
    def read(loss: Tensor) -> Tensor:
        return loss * read.scale  # type: ignore[attr-defined,no-any-return]

    read.scale = 1.0  # type: ignore[attr-defined]
    return read, lambda: setattr(read, "scale", 2.0)


def array() -> tuple[Read, Callable[[], object]]:
    values = np.ones(3)
    return lambda loss: loss * float(values[0]), lambda: values.__setitem__(0, 2.0)


def environment() -> tuple[Read, Callable[[], object]]:
    os.environ["ORTWRAP_TESTS_SCALE"] = "1"
    return (
        lambda loss: loss * float(os.environ["ORTWRAP_TESTS_SCALE"]),
        lambda: os.environ.update(ORTWRAP_TESTS_SCALE="2"),
    )


def context() -> tuple[Read, Callable[[], object]]:
    return lambda loss: loss * SCALES.get(), lambda: SCALES.set(2.0)


def list_with_attributes() -> tuple[Read, Callable[[], object]]:
    values = Values([1.0])
    return lambda loss: loss * values.scale, lambda: setattr(values, "scale", 2.0)


def item_of_such_a_list() -> tuple[Read, Callable[[], object]]:
    values = Values([1.0])
    return lambda loss: loss * values[0], lambda: values.__setitem__(0, 2.0)


def value_of_an_enumeration() -> tuple[Read, Callable[[], object]]:
    return lambda loss: loss * Kind.SCALES.value[0], lambda: Kind.SCALES.value.append(
        Kind.SCALES.value.pop() * 2
    )


PLACES: tuple[Place, ...] = (
    slots,
    names_in_a_loop,
    function_in_a_dictionary,
    object_in_a_list,
    import_in_a_function,
    import_of_a_name,
    order_of_a_dictionary,
    keys_of_a_dictionary,
    late_attribute_of_a_class,
    attribute_of_a_function,
    array,
    environment,
    context,
    list_with_attributes,
    item_of_such_a_list,
    value_of_an_enumeration,
)


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the places change outside of themselves is put back."""
    file = types.ModuleType("scales_of_a_test")
    file.__file__, file.SCALE = "/scales_of_a_test.py", 1.0  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, file.__name__, file)
    monkeypatch.setitem(globals(), "SCALE", 1.0)
    monkeypatch.setitem(os.environ, "ORTWRAP_TESTS_SCALE", "1")
    token = SCALES.set(1.0)
    yield
    SCALES.reset(token)
    Kind.SCALES.value[:] = [1.0]
    vars(Open).get("scale") and delattr(Open, "scale")


@pytest.mark.parametrize("place", PLACES)
def test_a_change_in_any_place_is_followed(place: Place) -> None:
    read, change = place()
    twins = Twins(mlp(8, 4), read, kind=Step)
    for _ in range(2):
        twins.step(*batch())
    change()
    for _ in range(2):
        twins.step(*batch())
    assert twins.backends == ["ort", "ort"]
    assert twins.ran_on_ort() == 2


@pytest.mark.parametrize("place", PLACES[:4])
def test_a_function_that_is_an_argument_is_looked_into(place: Place) -> None:
    read, change = place()
    twins = Twins(mlp(8, 4), kind=Step)
    for _ in range(2):
        twins.step(*batch(), read)
    change()
    for _ in range(2):
        twins.step(*batch(), read)
    assert twins.backends == ["ort", "ort"]


def test_a_function_that_is_made_anew_for_each_call_is_told_by_what_it_holds() -> None:
    twins = Twins(mlp(8, 4), kind=Step)
    for scale in (1.0, 2.0, 1.0, 2.0, 1.0, 2.0):
        twins.step(*batch(), lambda loss, scale=scale: loss * scale)
    assert twins.backends == ["ort", "ort"]
    assert twins.ran_on_ort() == 4


class Batch:
    """Its method reads a global and an attribute of the class."""

    weight = 1.0

    def __init__(self, data: Tensor) -> None:
        self.data = data

    def weighted(self) -> Tensor:
        return self.data * SCALE * self.weight


class OfBatch(Step):
    def forward(self, given: Batch, target: Tensor) -> Tensor:
        return super().forward(given.weighted(), target, torch.relu)


def test_the_class_of_an_argument_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    twins = Twins(mlp(8, 4), kind=OfBatch)
    changes = (
        lambda: None,
        lambda: monkeypatch.setattr(Batch, "weight", 2.0),
        lambda: monkeypatch.setitem(globals(), "SCALE", 3.0),
    )
    for change in changes:
        change()
        for _ in range(2):
            data, target = batch()
            twins.step(Batch(data), target)
    assert twins.backends == ["ort"] * 3


class Handed(nn.Module):
    """Hands one of its arguments on."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, other: Tensor) -> Any:
        return self.model(data).square().mean() + other.mean(), data


def test_one_tensor_given_twice_is_told_from_two() -> None:
    twins = Twins(mlp(8, 4), kind=Handed)
    for same in (True, True, False, False, True):
        data, _ = batch()
        twins.step(data, data if same else batch()[0])
    assert twins.backends == ["ort", "ort"]


class Pair(NamedTuple):
    scale: float


@pytest.mark.parametrize(
    "make",
    [
        Pair,
        np.float64,
        lambda scale: torch.full((3,), scale),
        lambda scale: slice(0, int(scale)),
        lambda scale: fractions.Fraction(int(scale), 2),
        lambda scale: datetime.date(2026, 1, int(scale)),
        lambda scale: type("Text", (str,), {})(scale),
    ],
)
def test_an_object_is_not_taken_for_one_that_had_its_place_in_memory(make: Any) -> None:
    model = mlp(8, 4)
    twins = Twins(model, kind=ByAttribute)
    for scale in (1.0, 2.0, 3.0, 1.0, 4.0, 2.0):
        for one in (twins.model, twins.reference):
            one.given = None
            one.given = make(scale)
        twins.step(*batch())


class ByAttribute(Step):
    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        given = self.model.given
        if isinstance(given, slice):
            return super().forward(data[given], target[given], torch.relu)
        scale = getattr(given, "scale", None) or getattr(given, "day", None) or given
        value = scale.sum() if isinstance(scale, Tensor) else float(scale)
        return super().forward(data, target, torch.relu) * value


@pytest.mark.parametrize(
    "make", [lambda: itertools.count(1), lambda: (one for one in range(1, 99))]
)
def test_an_iterator_that_forward_can_move_on_runs_eagerly(make: Callable[[], Any]) -> None:
    model = mlp(8, 4)
    step, moving, twin = Twins(model, kind=Counted).wrapper, make(), make()
    model.numbers = moving
    for _ in range(3):
        data, target = batch()
        expected = (model(data) - target).square().mean() * next(twin)
        torch.testing.assert_close(step(data, target), expected)
    assert "iterator" in step.report()["signatures"][0]["reason"]


class Making(OrderedDict):  # type: ignore[type-arg]
    """Makes what it is asked for, as the activations of transformers do."""

    made = 0

    def __getitem__(self, name: str) -> Any:
        Making.made += 1
        return super().__getitem__(name)()


def test_a_dictionary_that_makes_its_values_is_not_asked_for_them() -> None:
    table = Making(tanh=nn.Tanh, relu=nn.ReLU)
    step = Step(mlp(8, 4), lambda loss: table["relu"](loss))
    watch = Watch(tuple(step.modules()))
    assert watch.unchanged()
    assert Making.made == 0
    table["relu"] = nn.Tanh
    assert not watch.unchanged()


class Counted(Step):
    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        return super().forward(data, target, torch.relu) * next(self.model.numbers)


class Shifted(nn.Module):
    """Adds a buffer to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 4)
        self.register_buffer("shift", torch.zeros(8))

    def forward(self, data: Tensor) -> Tensor:
        return self.linear(data + self.shift)


def test_a_buffer_that_becomes_trained_gets_its_gradient() -> None:
    twins = Twins(Shifted(), torch.relu, kind=Step)
    for _ in range(3):
        twins.step(*batch())
    for model in (twins.model, twins.reference):
        model.shift.requires_grad_()
    twins.step(*batch())
    torch.testing.assert_close(twins.model.shift.grad, twins.reference.shift.grad)
    assert twins.ran_on_ort() == 2


def test_parameters_whose_data_get_another_size_are_followed() -> None:
    twins = Twins(nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 4)), torch.relu, kind=Step)
    for _ in range(3):
        twins.step(*batch())
    # torch goes by the old size as long as any graph of the parameter lives.
    gc.collect()
    for model in (twins.model, twins.reference):
        for parameter in (model[0].weight, model[0].bias):
            parameter.data = parameter.data[:3].clone()
        model[2].weight.data = model[2].weight.data[:, :3].clone()
    twins.optimizer.state.clear()
    twins.reference_optimizer.state.clear()
    for _ in range(3):
        twins.step(*batch())
    assert twins.backends == ["ort", "ort"]
