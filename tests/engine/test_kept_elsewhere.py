"""Modules that another file keeps in a variable, and what is none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine.result import Step

KEEPS = "import torch\nfrom torch import nn\n\n\nQ = nn.Linear(4, 2)\n"
USES = (
    "import torch\nfrom kept import Q\n\n\ndef train(batches):\n    for x, y in batches:\n"
    "        loss = torch.nn.functional.mse_loss(Q(x), y)\n        loss.backward()\n"
)


def steps(folder: Path, kept: str, script: str) -> tuple[Step, ...]:
    """The rows of a script that stands beside kept.py."""
    (folder / "kept.py").write_text(kept)
    return rewrite_beside(folder / "train.py", script).steps


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(USES, id="by its name"),
        pytest.param(USES.replace("import Q", "import *"), id="with everything"),
        pytest.param(
            USES.replace("from kept import Q", "import kept").replace("Q(", "kept.Q("), id="whole"
        ),
        pytest.param(
            USES.replace("import Q", "import *")
            .replace("\n\n\ndef", "\n\nf = Q\n\n\ndef")
            .replace("Q(x)", "f(x)"),
            id="under another name",
        ),
    ],
)
def test_a_module_that_another_file_keeps(tmp_path: Path, script: str) -> None:
    (step,) = steps(tmp_path, KEEPS, script)
    assert step.status == "rewritten"
    assert "is `Q` of kept.py (is built from `torch.nn.Linear`)" in step.evidence[0]


@pytest.mark.parametrize(
    ("kept", "script"),
    [
        pytest.param(
            KEEPS.replace("Q = nn.Linear(4, 2)", "encoder = build()"),
            USES.replace("Q", "encoder"),
            id="only its name says so",
        ),
        pytest.param(KEEPS + "Q = None\n", USES, id="its file binds it twice"),
        pytest.param(
            KEEPS.replace("nn.Linear(4, 2)", "torch.ones(4, 2)"), USES, id="it is a tensor"
        ),
        pytest.param(KEEPS, USES.replace("import Q", "import R as Q"), id="it is another name"),
        pytest.param(
            "__all__ = []\n" + KEEPS, USES.replace("import Q", "import *"), id="not offered"
        ),
        pytest.param(
            KEEPS + "\n\ndef change():\n    global Q\n    Q = nn.Linear(4, 2)\n",
            USES.replace("from kept import Q", "import kept").replace("Q(", "kept.Q("),
            id="a function of its file binds it anew",
        ),
    ],
)
def test_what_another_file_keeps_is_no_module(tmp_path: Path, kept: str, script: str) -> None:
    (step,) = steps(tmp_path, kept, script)
    assert step.code == "OW101"
