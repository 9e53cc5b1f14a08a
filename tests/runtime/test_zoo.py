"""Models of the zoo train on ONNX Runtime as they do eagerly; here those that take little time.

python -m ortwrap.runtime.zoo runs all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")

from ortwrap.runtime.operators.coverage.outcome import Verdict
from ortwrap.runtime.operators.coverage.survey import Worker
from ortwrap.runtime.zoo import models, trial

QUICK = (
    "MobileNetV3",
    "ConvNeXt",
    "AlexNet",
    "VGG",
    "SqueezeNet",
    "DCGAN, float64",
    "GPT",
    "decoder of 2025",
    "TransformerEncoder LM",
)
# As docs/models.md has them; tried where transformers is installed.
HUGGING_FACE = [
    f"{name}{form}"
    for name in ("BERT", "RoBERTa", "DistilBERT", "GPT-2", "OPT", "Llama", "T5")
    for form in ("", ", loss outside", ", not padded", ", eager attention")
    if (name, form) != ("T5", ", loss outside")
]
MODELS = {model.name: model for family in models.MODELS.values() for model in family}
PLACES = {
    model.name: f"{family}/{number}"
    for family, members in models.MODELS.items()
    for number, model in enumerate(members)
}


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker("ortwrap", "ortwrap.runtime.zoo.worker")
    yield worker
    worker.stop()


@pytest.mark.parametrize("name", QUICK)
def test_trains_as_eagerly(worker, name):
    outcome = worker.run(PLACES[name])
    assert outcome.verdict is Verdict.EXACT, outcome.detail


@pytest.mark.parametrize("name", HUGGING_FACE)
def test_a_model_of_transformers_trains_as_eagerly(worker, name):
    pytest.importorskip("transformers")
    test_trains_as_eagerly(worker, name)


def test_names_are_unique():
    names = [model.name for family in models.MODELS.values() for model in family]
    assert len(names) == len(set(names)) > 20


def test_dropout_is_off_where_masks_cannot_be_the_same():
    model = MODELS["ViT"].make()
    trial.without_dropout(model)
    ratios = [module.p for module in model.modules() if hasattr(module, "p")]
    assert len(ratios) >= 2
    assert set(ratios) == {0.0}
    assert model.layers[0].self_attention.dropout == 0.0
