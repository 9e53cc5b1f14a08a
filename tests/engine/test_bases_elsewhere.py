"""A step that returns its loss is one if a base class says so, in whatever file that stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside
from torch import nn

from ortwrap.engine import rewrite_source
from ortwrap.engine.evidence.lightning import has_in_lightning
from ortwrap.engine.result import Result

SCRIPT = """\
from torch.nn import functional as F
from tasks.base import Task


class Classifier(Task):
    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("loss", loss)
        return loss
"""
LIGHTNING = "import lightning as L\n\n\nclass Task(L.LightningModule):\n    pass\n"
EITHER = """\
try:
    import lightning.pytorch as pl
except ImportError:
    import pytorch_lightning as pl


class Task(pl.LightningModule):
    pass
"""
TRAINER = """\
from tasks.base import Task


class Weighted(Task):
    def compute_loss(self, model, inputs, return_outputs=False):
        outputs = model(**inputs)
        loss = self.criterion(outputs.logits, inputs["labels"])
        return (loss, outputs) if return_outputs else loss
"""
OF_TRANSFORMERS = "from transformers import Trainer\n\n\nclass Task(Trainer):\n    pass\n"


def rewritten(folder: Path, script: str, base: str, where: str = "tasks") -> Result:
    (folder / where).mkdir(parents=True)
    (folder / where / "base.py").write_text(base)
    return rewrite_beside(folder / "train.py", script)


@pytest.mark.parametrize("base", [LIGHTNING, EITHER], ids=["one import", "the one that is there"])
@pytest.mark.parametrize("where", ["tasks", "src/tasks"])
def test_a_module_of_lightning_is_one_by_its_base_class(
    tmp_path: Path, base: str, where: str
) -> None:
    result = rewritten(tmp_path, SCRIPT, base, where)
    assert "loss = model_with_loss(x, y)" in result.text


def test_a_trainer_is_one_by_its_base_class(tmp_path: Path) -> None:
    assert "model_with_loss(inputs)" in rewritten(tmp_path, TRAINER, OF_TRANSFORMERS).text


@pytest.mark.parametrize(
    "base",
    [
        LIGHTNING.replace("    pass", "    automatic_optimization = False"),
        LIGHTNING.replace("L.LightningModule", "L.LightningDataModule"),
        "from torch import nn\n\n\nclass Task(nn.Module):\n    pass\n",
        "class Task:\n    pass\n",
    ],
    ids=["optimized by hand", "a data module", "a plain module", "a plain class"],
)
def test_a_class_that_is_known_to_return_its_loss_to_no_framework_has_no_step(
    tmp_path: Path, base: str
) -> None:
    assert not rewritten(tmp_path, SCRIPT, base).steps


@pytest.mark.parametrize(
    ("script", "base"),
    [(SCRIPT, "LightningModule"), (TRAINER, "Trainer")],
    ids=["training_step", "compute_loss"],
)
def test_a_base_class_that_no_file_defines_is_named(script: str, base: str) -> None:
    (step,) = rewrite_source(script).steps
    assert step.code == "OW118"
    assert "base class `Task`" in step.message
    assert f"`class Model(Task, {base})`" in step.advice


@pytest.mark.parametrize(
    "script",
    [
        SCRIPT + "\n\ndef fit(task, batch):\n    return task.training_step(batch, 0)\n",
        SCRIPT.replace("return loss", "return None").replace("return None", "return"),
        SCRIPT.replace("from torch.nn", "import flax\nfrom jax.nn"),
        SCRIPT.replace("(Task)", ""),
        SCRIPT.replace("training_step", "compute_loss"),
    ],
    ids=[
        "this file calls it",
        "it returns nothing",
        "another framework",
        "no base",
        "another name",
    ],
)
def test_what_may_be_handed_to_no_framework_is_none(script: str) -> None:
    assert not rewrite_source(script).steps


def test_a_step_that_runs_backward_itself_is_found_there() -> None:
    script = SCRIPT.replace("        self.log", "        loss.backward()\n        self.log")
    (step,) = rewrite_source(script).steps
    assert step.line == 9
    assert step.code != "OW118"


MIXED = """\
import lightning as L
from torch import nn
from torch.nn import functional as F


class Stepping:
    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("loss", loss)
        return loss


class Net(Stepping, L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(x)
"""


def test_what_is_mixed_into_a_module_of_lightning_is_a_part_of_it() -> None:
    assert "loss = model_with_loss(x, y)" in rewrite_source(MIXED).text


@pytest.mark.parametrize(
    "more",
    ["\n\nclass Plain(Stepping):\n    pass\n", "\n\nstepping = Stepping()\n"],
    ids=["into another class", "it is made by itself"],
)
def test_what_may_be_no_part_of_one_has_no_step(more: str) -> None:
    assert not rewrite_source(MIXED + more).steps


BETWEEN = """\
        out = self(x)
        self.log("out", out)
        loss = F.cross_entropy(out, y)
        return loss
"""


@pytest.mark.parametrize(
    ("base", "status"),
    [
        (LIGHTNING, "rewritten"),
        (LIGHTNING.replace("pass", "def log(self, name, out):\n        out.mul_(2)"), "refused"),
    ],
    ids=["that of Lightning", "its own"],
)
def test_a_log_between_model_and_loss_only_reports_if_it_is_that_of_lightning(
    tmp_path: Path, base: str, status: str
) -> None:
    head = SCRIPT[: SCRIPT.index("        loss =")]
    (step,) = rewritten(tmp_path, head + BETWEEN, base).steps
    assert step.status == status


SHARED = """\
    def shared_step(self, batch):
        x, y = batch
        loss = self.criterion(self(x), y)
        self.log("loss", loss)
        return loss, x
"""


def test_a_loss_that_a_method_elsewhere_computes_is_to_be_lifted_there(tmp_path: Path) -> None:
    base = LIGHTNING.replace("    pass\n", SHARED)
    head = SCRIPT[: SCRIPT.index("        x, y =")]
    script = head + "        loss, x = self.shared_step(batch)\n        return loss\n"
    (step,) = rewritten(tmp_path, script, base).steps
    assert step.code == "OW101"
    assert "method of `Task` in tasks/base.py" in step.message


TERMS = """\
from torch.nn import functional as F
from tasks.base import Task


class Classifier(Task):
    def training_step(self, batch, batch_idx):
        x, y = batch
        out = self(x)
        loss = F.cross_entropy(out, y) + self.{name}(out)
        return loss
"""
PENALTY = "    def {name}(self, out):\n        return out.abs().mean()\n"


@pytest.mark.parametrize(
    ("name", "status"), [("penalty", "rewritten"), ("on_train_start", "refused")]
)
def test_a_method_that_lightning_has_not_is_that_of_the_base_class(
    tmp_path: Path, name: str, status: str
) -> None:
    base = LIGHTNING.replace("    pass\n", PENALTY.format(name=name))
    (step,) = rewritten(tmp_path, TERMS.format(name=name), base).steps
    assert step.status == status


def test_what_a_module_of_lightning_has_is_known() -> None:
    lightning = pytest.importorskip("lightning")
    own = set(dir(lightning.LightningModule)) - set(dir(nn.Module))
    public = {name for name in own if not name.startswith("_")}
    base = "lightning.pytorch.LightningModule"
    assert {name for name in public if not has_in_lightning(base, name)} == set()
    assert has_in_lightning(base, "compute_terms") is False
    assert has_in_lightning("mine.LightningModule", "compute_terms") is None
