"""Noise that is drawn into a tensor in place, between a run of the model and its loss."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn

critic = nn.Sequential(nn.Linear(4, 6), {layer}, nn.Linear(6, 1))
optimizer = torch.optim.SGD(critic.parameters(), lr=0.1)
noise = torch.empty(5, 4)
for real in batches:
    told = critic({seen})
    noise.{drawn}
    loss = critic(noise).mean() - told.mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("layer", "seen", "drawn", "why"),
    [
        ("nn.ReLU()", "real", "normal_(0, 1)", None),
        ("nn.ReLU()", "real", "resize_(5, 4).normal_(0, 1)", None),
        ("nn.ReLU()", "real", "data.uniform_(-1, 1)", None),
        ("nn.Dropout(0.1)", "real", "normal_(0, 1)", "it draws random numbers"),
        ("nn.ReLU()", "noise", "normal_(0, 1)", "it changes `noise`"),
        ("nn.ReLU()", "noise", "resize_(5, 4).normal_(0, 1)", "it changes `noise`"),
        ("nn.ReLU()", "real", "shuffle_(0, 1)", "nothing is known"),
    ],
)
def test_it_moves_where_nobody_draws_or_reads_beside_it(
    layer: str, seen: str, drawn: str, why: str | None
) -> None:
    (step,) = rewrite_source(SCRIPT.format(layer=layer, seen=seen, drawn=drawn)).steps
    assert step.code == (None if why is None else "OW203")
    assert why is None or why in step.message
