"""A layer of a model that the wrapper holds is reached through it, and is no argument."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 2)
        self.decoder = nn.Linear(2, 4)
        self.scale = 2.0

    def forward(self, x):
        return self.decoder(self.encoder(x)) * self.scale


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.MSELoss()
penalty = nn.L1Loss()
tuned = True
for x in torch.randn(3, 8, 4):
    optimizer.zero_grad()
    {step}
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    "step",
    [
        "loss = criterion(model(x), x) + penalty(model.decoder.weight, model.decoder.weight * 0)",
        "loss = criterion(model(x), x) + (spread(model.decoder) if tuned else 0)",
        "known = spread(model.decoder); loss = criterion(model(x), x) + known",
    ],
)
def test_forward_reaches_it_through_the_model(step: str) -> None:
    result = rewrite_source(SCRIPT.format(step=step))
    assert result.status == "rewritten"
    assert "model.decoder" not in result.text.split("for x in")[1]


def test_a_number_that_the_model_keeps_is_an_argument() -> None:
    text = rewrite_source(SCRIPT.format(step="loss = criterion(model(x), x) * model.scale")).text
    assert "model_with_loss(x, model.scale)" in text
