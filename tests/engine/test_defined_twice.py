"""Of a function that a script defines more than once any definition may be the one that runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_run import assert_same, run

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn

torch.manual_seed(0)


def penalty(output, x):
    {first}


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(6, 4), nn.Linear(4, 6)

    def forward(self, x):
        hidden = self.encoder(x)
        return hidden, self.decoder(hidden)


def penalty(output, x):
    {second}


model = Autoencoder()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    x = torch.rand(3, 6)
    hidden, output = model(x)
    loss = penalty(output, x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
"""
PLAIN = "return (output - x).pow(2).mean()"


@pytest.mark.ort
def test_definitions_that_only_compute_are_called_as_ever(tmp_path: Path) -> None:
    source = SCRIPT.format(first="return output.sum()", second=PLAIN)
    result = rewrite_source(source)
    assert [step.status for step in result.steps] == ["rewritten"]
    path = tmp_path / "train.py"
    assert_same(run(source, path), run(result.text, path), tolerance=1e-5)


@pytest.mark.parametrize(
    "other",
    [
        "return output.mean() / hidden.size(0)",
        "return output.mean() + model.encoder(x).mean()",
        "return output.mean().item() * output.mean()",
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_each_is_looked_through(other: str, is_first: bool) -> None:
    first, second = (other, PLAIN) if is_first else (PLAIN, other)
    (step,) = rewrite_source(SCRIPT.format(first=first, second=second)).steps
    assert (step.status, step.code) in {("refused", "OW107"), ("refused", "OW301")}
