"""Layers made where they are called: functions by another name, unless they hold or change more."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n"
STEP = """\
model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
rectify = nn.ReLU(True)

for x, y in []:
    output = model(x)
    shown = {between}
    loss = {loss}
    loss.backward()
    optimizer.step()
    print(shown)
"""


def _patched(between: str, loss: str = "criterion(output, y)") -> str:
    result = rewrite_source(HEAD + STEP.format(between=between, loss=loss))
    assert result.status in ("rewritten", "refused")
    return result.text


@pytest.mark.parametrize(
    "layer",
    ["nn.Softmax(dim=1)", "nn.ReLU()", "torch.nn.MaxPool1d(3)", "nn.Sigmoid().to('cpu')"],
)
def test_a_layer_without_weights_may_run_behind_the_call(layer: str) -> None:
    text = _patched(f"{layer}(output)")
    assert text.index("= model_with_loss(x, y)") < text.index(f"shown = {layer}(output)")


@pytest.mark.parametrize(
    "between",
    [
        "nn.Dropout(0.5)(output)",
        "nn.BatchNorm1d(3)(output)",
        "nn.Identity()(output)",
        "nn.ReLU(True).to('cpu')(output)",
        "nn.Threshold(0, 0, inplace=x.dim() == 2)(output)",
        "nn.Linear(3, 3)(output)",
    ],
)
def test_any_other_layer_stays_before_the_loss(between: str) -> None:
    text = _patched(between)
    assert f"shown = {between}" not in text.partition("= model_with_loss(")[2]


@pytest.mark.parametrize(
    "between",
    [
        "nn.ReLU(True)(output)",
        "rectify(output)",
        "F.relu(output, True)",
        "F.elu(output, 1.0, True)",
    ],
)
def test_what_works_in_place_by_position_runs_before_the_loss(between: str) -> None:
    text = _patched(between)
    forward = text[text.index("def forward") : text.index("model = nn.Linear")]
    assert f"shown = {between}" in forward.replace("self.", "")


def test_false_by_position_changes_nothing() -> None:
    assert (
        "shown = F.relu(output, False)"
        in _patched("F.relu(output, False)").partition("= model_with_loss(")[2]
    )


SLOPES = """\
def slopes(image):
    across = nn.Conv1d(1, 1, 3, bias=False)
    across.weight = nn.Parameter(torch.ones(1, 1, 3))
    return across(image)


"""


def test_a_layer_that_the_step_makes_is_refused_by_its_line() -> None:
    (step,) = rewrite_source(HEAD + STEP.format(between="0", loss="nn.Linear(3, 1)(output)")).steps
    assert step.code == "OW307"
    assert "`nn.Linear(3, 1)` makes a layer with new weights" in step.message
    assert step.message.endswith("(line 13)")


def test_a_layer_that_a_function_of_the_step_makes() -> None:
    text = HEAD + SLOPES + STEP.format(between="0", loss="slopes(output[:, None]).mean()")
    (step,) = rewrite_source(text).steps
    assert step.code == "OW307"
    assert "`nn.Conv1d(1, 1, 3, bias=False)`" in step.message


def test_a_layer_that_a_function_of_another_file_makes(tmp_path: Path) -> None:
    (tmp_path / "edges.py").write_text(HEAD + SLOPES)
    text = HEAD + STEP.format(between="0", loss="slopes(output[:, None]).mean()")
    (step,) = rewrite_beside(tmp_path / "train.py", f"from edges import slopes\n{text}").steps
    assert step.code == "OW307"
    assert "(edges.py:" in step.message


def test_a_layer_made_before_training_is_none_of_the_step() -> None:
    text = STEP.replace("for x", "head = nn.Linear(3, 1)\n\nfor x")
    (step,) = rewrite_source(HEAD + text.format(between="0", loss="head(output).mean()")).steps
    assert step.status == "rewritten"
