"""Whatever kind of Python state a forward reads: when it changes, the step changes with it."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from twins import Twins, WithLoss, mlp

from ortwrap.runtime import ort_module


def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(6, 8), torch.randint(0, 4, (6,))


class Config:
    """A namespace of constants, as scripts write it."""

    scale = 1.0

    class Nested:
        shift = 1.0


class Reader(nn.Module):
    """Reads state of its class, and through a method that can be replaced."""

    factor = 1.0

    def __init__(self, read: Callable[[Reader, Tensor], Tensor]) -> None:
        super().__init__()
        self.linear, self.read = nn.Linear(8, 4), read
        self.by_number = {0: 1.0}

    def helper(self, out: Tensor) -> Tensor:
        return out

    def forward(self, data: Tensor) -> Tensor:
        return self.read(self, self.linear(data))


def double(out: Tensor) -> Tensor:
    return out * 2


def chosen(out: Tensor) -> Tensor:
    return out


OUTSIDE = nn.Sequential(nn.Dropout(0.0), nn.Hardtanh(-1.0, 1.0))


class WithMode(nn.Module):
    def forward(self, out: Tensor) -> Tensor:
        return out * 3 if self.training else out


MODE = WithMode()


def replace_global(name: str, value: object) -> None:
    globals()[name] = value


CASES: dict[str, tuple[Callable[[Reader, Tensor], Tensor], Callable[[Twins], object]]] = {
    "an attribute of the class": (
        lambda self, out: out * self.factor,
        lambda twins: setattr(Reader, "factor", 2.0),
    ),
    "a class of constants": (
        lambda self, out: out * Config.scale,
        lambda twins: setattr(Config, "scale", 2.0),
    ),
    "a class in a class": (
        lambda self, out: out + Config.Nested.shift * self.linear.bias,
        lambda twins: setattr(Config.Nested, "shift", 2.0),
    ),
    "a method of the class": (
        lambda self, out: self.helper(out),
        lambda twins: setattr(Reader, "helper", lambda self, out: out * 2),
    ),
    "a global function": (
        lambda self, out: chosen(out),
        lambda twins: replace_global("chosen", double),
    ),
    "the forward of one layer": (
        lambda self, out: out,
        lambda twins: [
            setattr(
                model.linear,
                "forward",
                types.MethodType(lambda self, x: F.linear(x, self.weight) * 2, model.linear),
            )
            for model in (twins.model, twins.reference)
        ],
    ),
    "a value under a number": (
        lambda self, out: out * self.by_number[0],
        lambda twins: [
            model.by_number.update({0: 2.0}) for model in (twins.model, twins.reference)
        ],
    ),
    "an attribute of a module outside": (
        lambda self, out: OUTSIDE(out),
        lambda twins: setattr(OUTSIDE[1], "max_val", 0.1),
    ),
    "the mode of a module outside": (
        lambda self, out: MODE(out),
        lambda twins: MODE.eval(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_followed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner in (Config, Config.Nested, Reader):
        for attribute, value in list(vars(owner).items()):
            if not attribute.startswith("__") and not isinstance(value, type):
                monkeypatch.setattr(owner, attribute, value)
    monkeypatch.setitem(globals(), "chosen", chosen)
    read, change = CASES[name]
    twins = Twins(Reader(read), nn.CrossEntropyLoss())
    for _ in range(2):
        twins.step(*batch())
    change(twins)
    for _ in range(2):
        twins.step(*batch())
    assert twins.backends == ["ort", "ort"]
    assert twins.ran_on_ort() == 2
    MODE.train()
    OUTSIDE[1].max_val = 1.0


def test_a_file_that_the_script_imports_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "settings_of_the_script.py"
    path.write_text("SCALE = 1.0\n\ndef scaled(out):\n    return out * SCALE\n")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    settings = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = settings
    spec.loader.exec_module(settings)
    twins = Twins(Reader(lambda self, out: settings.scaled(out)), nn.CrossEntropyLoss())
    for scale in (1.0, 1.0, 2.0, 2.0):
        settings.SCALE = scale
        twins.step(*batch())
    settings.scaled = double
    for _ in range(2):
        twins.step(*batch())
    assert twins.backends == ["ort", "ort", "ort"]
    del sys.modules[path.stem]


def test_a_hook_on_a_module_outside_is_called() -> None:
    calls: list[int] = []
    twins = Twins(Reader(lambda self, out: OUTSIDE(out)), nn.CrossEntropyLoss())
    for _ in range(2):
        twins.step(*batch())
    handle = OUTSIDE[1].register_forward_hook(lambda *_: calls.append(1))
    twins.step(*batch())
    handle.remove()
    assert calls == [1, 1]
    assert "hook" in twins.reasons[0]


class Declaring(WithLoss):
    """Reads what no guard sees, and says so."""

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        weight = float(sys.intern("".join(self.model.notes)))
        return super().forward(data, target) * weight

    def graph_depends_on(self) -> str:
        return "".join(self.model.notes)


class Notes:
    """A class whose content is in no __dict__."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __iter__(self):
        return iter(self.text)


def test_what_no_guard_sees_can_be_declared() -> None:
    model = mlp(8, 4)
    model.notes = Notes("1.0")
    step = ort_module(Declaring, model, nn.CrossEntropyLoss())
    data, target = batch()
    for text in ("1.0", "1.0", "2.0", "2.0"):
        model.notes.text = text
        expected = F.cross_entropy(model(data), target) * float(text)
        torch.testing.assert_close(step(data, target), expected)
    assert [row["ort_calls"] for row in step.report()["signatures"]] == [1, 1]
