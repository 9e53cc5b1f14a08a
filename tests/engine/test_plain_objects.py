"""An object of a class that is known to be no module is none, whatever its name says."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source

HEAD = "import torch\nfrom torch import nn\n\n\n"
PIPELINE = (
    "class Pipeline:\n    def __init__(self):\n        self.network = nn.Linear(4, 2)\n\n"
    "    def __call__(self, x):\n        return self.network(x)\n\n\n"
)
TRAIN = (
    "net = Pipeline()\nfor x, y in []:\n    loss = nn.functional.mse_loss(net(x), y)\n"
    "    loss.backward()\n"
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PIPELINE + TRAIN, id="as it is"),
        pytest.param(
            PIPELINE + TRAIN.replace("net = Pipeline()", "net = None\nnet = Pipeline()"), id="late"
        ),
        pytest.param(
            "class Base:\n    pass\n\n\n"
            + PIPELINE.replace("Pipeline:", "Pipeline(Base, object):")
            + TRAIN,
            id="derived from another one",
        ),
    ],
)
def test_the_wrapper_holds_its_module_beside_it(text: str) -> None:
    result = rewrite_source(HEAD + text)
    assert "ort_module(ModuleWithLoss, net.network, net)\n" in result.text


def test_the_refusal_says_whose_object_it_is() -> None:
    text = PIPELINE.replace("self.network(x)", "torch.relu(x)") + TRAIN
    (step,) = rewrite_source(HEAD + text).steps
    assert step.code == "OW101"
    assert "`net` is an object of `Pipeline`, which is no `nn.Module`" in step.message


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            PIPELINE.replace("Pipeline:", "Pipeline(nn.Module):") + TRAIN, id="it is a module"
        ),
        pytest.param(
            "from bases import Base\n\n\n"
            + PIPELINE.replace("Pipeline:", "Pipeline(Base):")
            + TRAIN,
            id="nobody knows its base",
        ),
        pytest.param(PIPELINE + TRAIN + "net.eval()\n", id="it is told to evaluate"),
    ],
)
def test_what_may_be_a_module_is_one_by_its_name(text: str) -> None:
    (step,) = rewrite_source(HEAD + text).steps
    assert step.status == "rewritten"


def test_the_class_of_another_file(tmp_path: Path) -> None:
    text = PIPELINE.replace("self.network(x)", "torch.relu(x)")
    (tmp_path / "pipelines.py").write_text(HEAD + text)
    script = "from pipelines import Pipeline, measure\n" + HEAD + TRAIN.replace("net", "run")
    (step,) = rewrite_beside(tmp_path / "train.py", script).steps
    assert "`run` is an object of `Pipeline` in pipelines.py" in step.message
