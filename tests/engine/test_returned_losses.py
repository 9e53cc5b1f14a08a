"""A loss that is returned to Lightning is found where it is computed, and only there."""

from __future__ import annotations

import textwrap

import pytest

from ortwrap.engine import rewrite_source

_HEAD = """\
import torch
import torch.nn.functional as F
import lightning.pytorch as pl
from collections import OrderedDict
from torch import nn


class Lit(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, 2)

    def forward(self, x):
        return self.net(x)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

"""

_FOLLOWED = {
    "the loss by itself": (
        "def training_step(self, batch):\n    return self(batch).sum()\n",
        "return model_with_loss(batch)",
    ),
    "an entry of what another file's method gave": (
        """
        def training_step(self, batch):
            terms = self.net.losses(self(batch))
            self.log_dict({key: value.item() for key, value in terms.items()})
            return terms["loss"]
        """,
        "loss, terms = model_with_loss(batch)",
    ),
    "under the key loss": (
        """
        def training_step(self, batch):
            loss = self(batch).sum()
            return {"loss": loss, "log": {"train": loss}}
        """,
        "loss = model_with_loss(batch)",
    ),
    "in a dict that has a name": (
        """
        def training_step(self, batch):
            out = OrderedDict({"loss": self(batch).sum(), "n": 1})
            out["more"] = 2
            return out
        """,
        'OrderedDict({"loss": model_with_loss(batch), "n": 1})',
    ),
    "through a helper of a helper": (
        """
        def training_step(self, batch):
            return self._step(batch, "train")[0]

        def _step(self, batch, stage):
            loss, y = self._both(batch)
            self.log(stage, loss)
            return loss, y

        def _both(self, batch):
            y = self.net(batch)
            return F.mse_loss(y, batch[:, :2]), y
        """,
        "loss, y = net_with_loss(batch)",
    ),
    "every return is one": (
        """
        def training_step(self, batch, batch_idx, optimizer_idx):
            if batch is None:
                return None
            if optimizer_idx == 0:
                loss = self(batch).sum()
                return loss
            return {"loss": self(batch).mean()}
        """,
        'return {"loss": model_with_total_loss(batch)}',
    ),
    "through self.forward": (
        "def training_step(self, batch):\n    return self.forward(batch).sum()\n",
        "self.model.forward(batch).sum()",
    ),
}

_LEFT_ALONE = {
    "what is optimized by hand returns no loss": """
        @property
        def automatic_optimization(self):
            return False

        def training_step(self, batch):
            return self(batch).sum()
        """,
    "nor where it says so in one method": """
        def setup(self, stage):
            self.automatic_optimization=False

        def training_step(self, batch):
            return self(batch).sum()
        """,
    "validation trains nothing": """
        def validation_step(self, batch):
            return self(batch).sum()
        """,
    "nothing is returned": """
        def training_step(self, batch):
            return None
        """,
}


def _script(methods: str) -> str:
    return _HEAD + textwrap.indent(textwrap.dedent(methods), "    ")


@pytest.mark.parametrize(("methods", "expected"), _FOLLOWED.values(), ids=_FOLLOWED)
def test_it_is_followed(methods: str, expected: str) -> None:
    result = rewrite_source(_script(methods))
    assert {step.status for step in result.steps} == {"rewritten"}
    assert expected in result.text
    again = rewrite_source(result.text)
    assert again.text == result.text
    assert {step.status for step in again.steps} == {"skipped"}


@pytest.mark.parametrize("methods", _LEFT_ALONE.values(), ids=_LEFT_ALONE)
def test_what_returns_no_loss_to_lightning_stays(methods: str) -> None:
    result = rewrite_source(_script(methods))
    assert result.text == result.source
    assert not result.steps


def test_a_training_step_of_something_else_is_none() -> None:
    script = _script(_FOLLOWED["under the key loss"][0]).replace("pl.LightningModule", "nn.Module")
    script = script.replace("import lightning.pytorch as pl\n", "")
    assert not rewrite_source(script).steps


def test_the_backward_of_a_module_is_given_what_its_step_returns() -> None:
    methods = _FOLLOWED["the loss by itself"][0]
    own = "\ndef backward(self, loss, *args):\n    loss.backward(*args)\n"
    (step,) = rewrite_source(_script(methods + own)).steps
    assert step.status == "rewritten"


def test_a_method_that_a_derived_class_overrides_is_not_read_in_its_base() -> None:
    methods = """
        def encode(self, x):
            return self.net(x)

        def training_step(self, batch):
            return F.mse_loss(self.encode(batch), batch[:, :2])
        """
    derived = "\n\nclass Other(Lit):\n    def encode(self, x):\n        return x\n"
    assert "encode" in rewrite_source(_script(methods)).text
    assert [step.code for step in rewrite_source(_script(methods) + derived).steps] == ["OW107"]


_TRAINER = """\
import torch
from torch import nn
from transformers import Trainer


class Weighted(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs.pop("labels")
        {computed}
        loss_fct = nn.CrossEntropyLoss(weight=self.class_weights)
        loss = loss_fct(outputs.logits.view(-1, self.model.config.num_labels), labels.view(-1))
        {returned}
"""


@pytest.mark.parametrize(
    "returned",
    [
        "return (loss, outputs) if return_outputs else loss",
        "if return_outputs:\n            return loss, outputs\n        return loss",
    ],
)
def test_the_loss_of_a_trainer_is_computed_with_its_model(returned: str) -> None:
    script = _TRAINER.format(computed="outputs = model(**inputs)", returned=returned)
    result = rewrite_source(script)
    assert [step.status for step in result.steps] == ["rewritten"]
    assert "model_with_loss = ort_module(ModuleWithLoss, model)\n" in result.text
    assert "return loss, outputs\n" in result.text
    assert f"        {returned}\n" in result.text
    assert rewrite_source(result.text).text == result.text


def test_what_is_called_compute_loss_elsewhere_is_no_step() -> None:
    script = _TRAINER.format(computed="outputs = model(**inputs)", returned="return loss")
    assert not rewrite_source(script.replace("(Trainer)", "")).steps


_BASES = {
    "the base class is a library's": ("Trainer", "", "OW119"),
    "it keeps metrics by the way": ("SFTTrainer", "", "OW119"),
    "a base class of the script": (
        "Mine",
        "class Mine(Trainer):\n    def compute_loss(self, model, inputs, return_outputs):\n"
        "        return self.forward(inputs)\n\n\n",
        "OW107",
    ),
}


@pytest.mark.parametrize(("base", "before", "code"), _BASES.values(), ids=_BASES)
def test_a_refusal_names_the_base_class_that_computes_the_loss(
    base: str, before: str, code: str
) -> None:
    computed = "loss, outputs = super().compute_loss(model, inputs, True)"
    script = _TRAINER.format(computed=computed, returned="return loss")
    script = script.replace("loss = loss_fct", "loss = loss + loss_fct")
    script = script.replace("(Trainer)", f"({base})").replace(
        "class Weighted", f"{before}class Weighted"
    )
    script = script.replace("import Trainer", "import Trainer\nfrom trl import SFTTrainer")
    step = rewrite_source(script).steps[-1]
    assert step.code == code
    assert f"{base}`" in step.message


_OWN_STEP = """\
from transformers import Trainer
from trl import SFTTrainer


class Own({base}):
    def training_step(self, model, inputs):
        model.train()
        loss = self.compute_loss(model, inputs)
        self.accelerator.backward(loss)
        return loss.detach()
"""


@pytest.mark.parametrize(("base", "code"), [("Trainer", None), ("SFTTrainer", "OW119")])
def test_a_step_calls_what_the_trainer_is_known_to_compute(base: str, code: str | None) -> None:
    (step,) = rewrite_source(_OWN_STEP.format(base=base)).steps
    assert step.code == code


def test_a_step_that_calls_its_own_compute_loss_is_lifted_there() -> None:
    own = """
    def compute_loss(self, model, inputs):
        return model(**inputs).loss
"""
    result = rewrite_source(_OWN_STEP.format(base="Trainer") + own)
    assert [step.line for step in result.steps] == [13]
    assert "        loss = self.compute_loss(model, inputs)\n" in result.text
    assert rewrite_source(result.text).text == result.text


_NOTED = """\
from torch import nn
from transformers import Trainer


class Noted(Trainer):
    {method}
    def compute_loss(self, model, inputs, return_outputs=False):
        outputs = model(**inputs)
        if self.state.global_step % self.args.logging_steps == 0:
            self.{report}({{"mean": outputs.logits.mean().item()}})
        if self.label_smoother is not None:
            loss = self.label_smoother(outputs, inputs["labels"])
        else:
            loss = outputs.loss
        return (loss, outputs) if return_outputs else loss
"""


def test_the_log_of_a_trainer_only_reports() -> None:
    (step,) = rewrite_source(_NOTED.format(method="", report="log")).steps
    assert step.status == "rewritten"


@pytest.mark.parametrize(
    ("method", "report"),
    [("def log(self, values):\n        self.label_smoother = None\n", "log"), ("", "note")],
    ids=["its own", "another method"],
)
def test_another_log_between_model_and_loss_is_not_moved_past(method: str, report: str) -> None:
    (step,) = rewrite_source(_NOTED.format(method=method, report=report)).steps
    assert step.status == "refused"
