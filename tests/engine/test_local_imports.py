"""What the step's function imports by itself, forward imports too: what it uses of that."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
from torch import nn


def train(model: nn.Module, batches):
    {imported}
    for x, y in batches:
        loss = {loss}
        loss.backward()
"""
IMPORTS = [
    (
        "of several lines",
        "from torch.nn.functional import (\n        cross_entropy,\n"
        "        mse_loss as distance,  # of both\n        relu,\n    )",
        "distance(relu(model(x)), y)",
        "from torch.nn.functional import mse_loss as distance, relu",
    ),
    (
        "of packages",
        "import torch.linalg, torch.nn.functional as F, math",
        "F.mse_loss(model(x), y) + torch.linalg.norm(y)",
        "import torch.linalg, torch.nn.functional as F",
    ),
    (
        "all of it",
        "from torch.nn.functional import mse_loss,  relu",
        "mse_loss(relu(model(x)), y)",
        "from torch.nn.functional import mse_loss,  relu",
    ),
]


@pytest.mark.parametrize(
    ("imported", "loss", "there"), [row[1:] for row in IMPORTS], ids=[row[0] for row in IMPORTS]
)
def test_forward_imports_what_it_uses(imported: str, loss: str, there: str) -> None:
    text = rewrite_source(SCRIPT.format(imported=imported, loss=loss)).text
    assert f"\n    def forward(self, x, y):\n        {there}\n        return " in text
