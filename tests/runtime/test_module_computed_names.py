"""Attributes that forward gets at by names that it computes."""

from __future__ import annotations

import operator
import types
from typing import Any, Callable

import pytest
import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module
from ortwrap.runtime.computed_names import computes_names

LITERAL: dict[str, Callable[..., Any]] = {
    "getattr": lambda self: getattr(self, "scale")(1),  # noqa: B009  # what is tested
    "getattr with a default": lambda self: getattr(self, "scale", None),
    "getattr of an attribute": lambda self: getattr(self.config, "scale", 1 + self.scale),
    "two of them": lambda self, x: self.scale(getattr(self, "a", 1), getattr(self, "b", x)),
    "attrgetter": lambda self: operator.attrgetter("config.scale")(self),
}
COMPUTED: dict[str, Callable[..., Any]] = {
    "a sum": lambda self, kind: getattr(self, "scale_" + kind),
    "a sum with a default": lambda self, kind: getattr(self, "scale_" + kind, None),
    "an f-string": lambda self, kind: getattr(self, f"scale_{kind}"),
    "an argument": lambda self, kind: getattr(self, kind),
    "a method of text": lambda self, kind: getattr(self, "scale_{}".format(kind)),  # noqa: UP032
    "in a comprehension": lambda self, kinds: [getattr(self, kind) for kind in kinds],
    "attrgetter": lambda self, kind: operator.attrgetter(kind)(self),
    "vars": lambda self, kind: vars(self)["scale_" + kind],
}


@pytest.mark.parametrize("name", LITERAL)
def test_a_name_that_is_written_out_is_not_computed(name: str) -> None:
    assert not computes_names(LITERAL[name].__code__)


@pytest.mark.parametrize("name", COMPUTED)
def test_a_name_that_is_computed(name: str) -> None:
    assert computes_names(COMPUTED[name].__code__)


class Scaled(nn.Module):
    """Scales its loss by what it finds under a name."""

    def __init__(self, find: Callable[[Any, str], Any]) -> None:
        super().__init__()
        self.linear, self.find = nn.Linear(8, 4), find
        self.scale_a, self.scale_b = 1.0, torch.ones(4)
        self.config = types.SimpleNamespace(scale_c=1.0)

    def forward(self, data: Tensor, kind: str) -> Tensor:
        scaled: Tensor = self.linear(data) * self.find(self, kind)
        return scaled.square().mean()


def by_getattr(model: Any, kind: str) -> Any:
    return getattr(model.config if kind == "c" else model, f"scale_{kind}")


def by_attrgetter(model: Any, kind: str) -> Any:
    return operator.attrgetter("config.scale_c" if kind == "c" else "scale_" + kind)(model)


@pytest.mark.parametrize("find", [by_getattr, by_attrgetter])
@pytest.mark.parametrize("kind", ["a", "b", "c"])
def test_an_attribute_whose_name_is_computed_is_followed(
    find: Callable[[Any, str], Any], kind: str
) -> None:
    model = Scaled(find)
    step = ort_module(Loss, model)
    for scale in (1.0, 1.0, 2.0, 2.0, 1.0):
        if kind == "a":
            model.scale_a = scale
        elif kind == "b":
            model.scale_b.fill_(scale)
        else:
            model.config.scale_c = scale
        data = torch.randn(6, 8)
        torch.testing.assert_close(step(data, kind), model(data, kind))
    assert sum(row["ort_calls"] for row in step.report()["signatures"]) >= 2


class Loss(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, kind: str) -> Any:
        return self.model(data, kind)
