"""What other files say against a rewrite that the script by itself would allow."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source

IMPORTS = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"
OUTPUT = """\
from utils import {imported}

model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
{made}

def train(batches):
    for step, (x, y) in enumerate(batches):
        out = model(x)
        {between}
        loss = {loss}
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
CROSS_ENTROPY = "F.cross_entropy(out, y)"


def code_of(folder: Path, script: str, utils: str) -> str | None:
    """Why the one step of a script is refused that stands beside `utils.py`; None if it is not."""
    (folder / "utils.py").write_text(IMPORTS + utils)
    (step,) = rewrite_beside(folder / "train.py", IMPORTS + script).steps
    return step.code


def step_with(
    imported: str, between: str, loss: str = CROSS_ENTROPY, made: str = "", **_: str
) -> str:
    """A script with a statement between the run of its model and its loss."""
    return OUTPUT.format(imported=imported, between=between, loss=loss, made=made)


MEASURES = {
    "it masks labels": ("y[out.argmax(1) == 2] = 0", "OW203"),
    "it clips the output": ("out.data.clamp_(-1, 1)", "OW203"),
    "it draws numbers": ("print(torch.rand(len(y)))", "OW203"),
    "it makes values of its own": ("out = out.detach().clone()\n    out.clamp_(-1, 1)", None),
    "it only looks": ("print(y.shape)", None),
}


@pytest.mark.parametrize(("done", "code"), MEASURES.values(), ids=MEASURES)
def test_what_is_called_a_measure_may_change_what_it_measures(
    tmp_path: Path, done: str, code: str | None
) -> None:
    utils = f"def accuracy(out, y):\n    {done}\n    return (out.argmax(1) == y).float().mean()\n"
    loss = "F.cross_entropy(F.dropout(out, 0.1), y)" if "rand" in done else CROSS_ENTROPY
    script = step_with("accuracy", "accuracy(out, y)", loss)
    assert code_of(tmp_path, script, utils) == code


def test_without_the_other_file_it_is_taken_at_its_word() -> None:
    script = IMPORTS + step_with("accuracy", "accuracy(out, y)")
    assert [step.code for step in rewrite_source(script).steps] == [None]


STATE = """
import random

STATE = {"temperature": 1.0}
OTHER = {}
rng = random.Random(0)


class Meter:
    def __init__(self):
        self.seen = 0

    def update(self, n):
        self.seen += n


METER = Meter()


def log_temperature(step):
    STATE["temperature"] = 1.0 + step


class Settings:
    scale = 1.0


def log_scale(step):
    Settings.scale = 1.0 + step


def scaled(out, y):
    return Settings.scale * F.cross_entropy(out, y)


def log_other(step):
    OTHER["step"] = step


def log_draw(step):
    print(rng.random())


def log_meter(step):
    print(step, METER.seen)


def tempered(out, y):
    return F.cross_entropy(out / STATE["temperature"], y)


def counted(out, y):
    METER.update(len(y))
    return F.cross_entropy(out, y)


def smoothed(out, y):
    return F.cross_entropy(out, y, label_smoothing=rng.random())
"""


@pytest.mark.parametrize(
    ("between", "loss", "code"),
    [
        ("log_temperature", "tempered", "OW203"),
        ("log_draw", "smoothed", "OW203"),
        ("log_meter", "counted", "OW203"),
        ("log_scale", "scaled", "OW203"),
        ("log_other", "tempered", None),
        ("log_temperature", "smoothed", None),
    ],
)
def test_a_global_that_both_sides_touch_keeps_their_order(
    tmp_path: Path, between: str, loss: str, code: str | None
) -> None:
    # What is shown of the output keeps the call from moving down instead.
    shown = f"{between}(step)\n        print(out.argmax(1))"
    script = step_with(f"{between}, {loss}", shown, f"{loss}(out, y)")
    assert code_of(tmp_path, script, STATE) == code


def test_a_setting_of_another_file_is_set_before_the_call(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("WEIGHT = 1.0\n")
    utils = "import config\n\n\ndef weighted(out, y):\n    return config.WEIGHT * out.sum()\n"
    (tmp_path / "utils.py").write_text(utils)
    script = step_with("weighted", "config.WEIGHT = 1 / (step + 1)", "weighted(out, y)")
    text = rewrite_beside(tmp_path / "train.py", f"{IMPORTS}import config\n{script}").text
    assert text.index("config.WEIGHT = ") < text.index("= model_with_loss(x, y)")


HOOKS = """
class Tap:
    def __init__(self, layer):
        self.features = None
        {registers}

    def keep(self, layer, args, out):
        self.features = out


def keep_features(layer, store):
    {registers_too}
"""
REGISTERED = {
    "registers": "layer.register_forward_hook(self.keep)",
    "registers_too": "layer.register_forward_hook(lambda m, a, out: store.update(kept=out))",
}
NOT_REGISTERED = {
    "registers": "self.layer = layer",
    "registers_too": "print(layer, len(store))",
}


@pytest.mark.parametrize(
    ("imported", "made", "read"),
    [
        ("Tap", "tap = Tap(model[0])", "tap.features"),
        ("Tap", "taps = [Tap(layer) for layer in model]", "taps[0].features"),
        ("keep_features", "kept = {}\nkeep_features(model[0], kept)", 'kept["kept"]'),
    ],
)
def test_what_a_hook_of_another_file_fills_is_read_after_the_run(
    tmp_path: Path, imported: str, made: str, read: str
) -> None:
    script = step_with(imported, "pass", f"{CROSS_ENTROPY} + {read}.mean()", made)
    assert code_of(tmp_path, script, HOOKS.format(**REGISTERED)) == "OW211"
    assert code_of(tmp_path, script, HOOKS.format(**NOT_REGISTERED)) is None


NET = """
class Context:
    scale = 1.0
    aux = 0.0


class Net(nn.Module):
    def __init__(self, context):
        super().__init__()
        self.context = context
        self.gate = nn.Linear(4, 3)

    def forward(self, x):
        out = self.gate(x)
        {sets} = out.mean()
        return out
"""
MADE_OF_CONTEXT = """
context = Context()
model = Net(context)
gate = model.gate
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""


@pytest.mark.parametrize(
    ("sets", "read", "code"),
    [
        ("self.context.aux", "context.aux", "OW211"),
        ("aux", "context.scale", None),
        ("self.gate.aux", "gate.aux", "OW211"),
        ("self.gate.aux", "gate.bias.sum()", None),
    ],
)
def test_what_the_forward_of_another_file_sets_is_read_after_the_run(
    tmp_path: Path, sets: str, read: str, code: str | None
) -> None:
    script = step_with("Net, Context", "pass", f"{CROSS_ENTROPY} + {read}", MADE_OF_CONTEXT)
    assert code_of(tmp_path, script, NET.format(sets=sets)) == code


OBJECTS = """
class Weight:
    def __init__(self):
        self.value = 1.0

    def log(self, step):
        {does}


class Centered(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("center", torch.zeros(3))

    def forward(self, out, y):
        {moves}
        return F.cross_entropy(out - self.center, y)
"""
CHANGING = {"does": "self.value *= 0.5", "moves": "self.center = out.detach().mean(0)"}
STILL = {"does": "print(self.value, step)", "moves": "pass"}


def test_an_object_of_another_file_changes_before_its_value_goes_in(tmp_path: Path) -> None:
    script = step_with(
        "Weight", "weight.log(step)", f"weight.value * {CROSS_ENTROPY}", "weight = Weight()"
    )
    assert code_of(tmp_path, script, OBJECTS.format(**CHANGING)) is None
    text = rewrite_beside(tmp_path / "train.py", IMPORTS + script).text
    assert text.index("weight.log(step)") < text.index("loss = model_with_loss(x")
    assert code_of(tmp_path, script, OBJECTS.format(**STILL)) is None


def test_it_is_refused_where_the_call_cannot_come_behind_it(tmp_path: Path) -> None:
    shown = "print(out.argmax(1))\n        weight.log(step)"
    script = step_with("Weight", shown, f"weight.value * {CROSS_ENTROPY}", "weight = Weight()")
    assert code_of(tmp_path, script, OBJECTS.format(**CHANGING)) == "OW203"
    assert code_of(tmp_path, script, OBJECTS.format(**STILL)) is None


@pytest.mark.parametrize(
    ("shown", "code"), [("print(criterion.center, out)", "OW203"), ("print(out)", None)]
)
def test_a_criterion_of_another_file_that_moves_is_shown_as_it_was(
    tmp_path: Path, shown: str, code: str | None
) -> None:
    script = step_with("Centered", shown, "criterion(out, y)", "criterion = Centered()")
    assert code_of(tmp_path, script, OBJECTS.format(**CHANGING)) == code
