"""A function of another file that is handed a loss is a sink, if it only runs backward on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ortwrap.engine import rewrite_source
from ortwrap.neighbours import ProjectFiles

TRAINING = """\
import torch
from torch import nn
{imported}

model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    loss = model(torch.randn(8, 4)).pow(2).mean()
    {called}(loss, optimizer)
"""


def statuses(
    folder: Path, body: str, imported: str, called: str, package: str | None = None
) -> list[str]:
    (folder / "tools").mkdir()
    if package is not None:
        (folder / "tools" / "__init__.py").write_text(package)
    (folder / "tools" / "updates.py").write_text(f"def update(loss, optimizer):\n{body}")
    script = folder / "train.py"
    script.write_text(TRAINING.format(imported=imported, called=called))
    neighbours = ProjectFiles(str(script), str(folder))
    result = rewrite_source(script.read_text(), neighbours=neighbours)
    return [step.status for step in result.steps]


@pytest.mark.parametrize(
    ("imported", "called"),
    [
        ("from tools.updates import update", "update"),
        ("from tools.updates import update as step", "step"),
        ("from tools import updates", "updates.update"),
        ("import tools.updates as updates", "updates.update"),
        ("import tools.updates", "tools.updates.update"),
    ],
)
def test_it_is_found_however_it_is_imported(tmp_path: Path, imported: str, called: str) -> None:
    body = "    loss.backward()\n    optimizer.step()\n"
    assert statuses(tmp_path, body, imported, called) == ["rewritten"]


@pytest.mark.parametrize(
    ("imported", "called"),
    [
        ("from tools import update", "update"),
        ("import tools", "tools.update"),
        ("from tools import *", "update"),
    ],
)
def test_a_package_may_hand_it_on(tmp_path: Path, imported: str, called: str) -> None:
    body = "    loss.backward()\n    optimizer.step()\n"
    assert statuses(tmp_path, body, imported, called, "from .updates import update\n") == [
        "rewritten"
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    loss.backward()\n    return loss.item()\n", ["rewritten"]),
        ("    scaler.scale(loss).backward()\n    scaler.step(optimizer)\n", ["rewritten"]),
        ("    (loss / 4).backward()\n", ["rewritten"]),
        ("    loss.backward(retain_graph=True)\n    optimizer.step()\n", ["rewritten"]),
        ("    loss.backward(retain_graph=True)\n    loss.backward()\n", ["refused"]),
        ("    for _ in (0, 1):\n        loss.backward(retain_graph=True)\n", ["refused"]),
        ("    loss.backward(create_graph=True)\n", []),
        ("    HISTORY.append(loss)\n    loss.backward()\n", []),
        ("    loss = loss.mean()\n    loss.backward()\n    return loss\n", []),
        ("    print(loss)\n", []),
    ],
)
def test_it_may_only_take_the_value_besides(tmp_path: Path, body: str, expected: list[str]) -> None:
    assert statuses(tmp_path, body, "from tools.updates import update", "update") == expected
