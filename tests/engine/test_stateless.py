"""A module that keeps nothing of its runs may run in any order; one that might, may not."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
from torch import nn

from layers import Scaled


def block(n):
    return nn.Sequential(nn.Linear(n, n), nn.BatchNorm1d(n))


class Net(nn.Module):
    def __init__(self, body=None):
        super().__init__()
        {layer}
        self.head = nn.Linear(4, 2)
        self.apply(self.initialise)

    def initialise(self, module):
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)

    def forward(self, x):
        {run}
        return self.head(torch.relu(x))


policy_net = {net}
optimizer = torch.optim.SGD(policy_net.parameters(), lr=0.1)


def train(state, action, reward, goes_on, next_state):
    value = policy_net(state).gather(1, action)
    best = torch.zeros(len(state))
    with torch.no_grad():
        best[goes_on] = policy_net(next_state).max(1)[0]
    loss = nn.functional.mse_loss(value, best + reward)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
LINEAR = "self.body = nn.Sequential(nn.Linear(4, 4), nn.ReLU())"
RUN = "x = self.body(x)"


@pytest.mark.parametrize(
    ("layer", "run", "net"),
    [
        (LINEAR, RUN, "Net()"),
        (LINEAR, RUN, "Net().to('cpu')"),
        (LINEAR, RUN, "nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten(), Net())"),
        ("self.body = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])",
         "x = self.body[1](self.body[0](x))", "Net()"),
    ],
)  # fmt: skip
def test_its_runs_trade_places(layer: str, run: str, net: str) -> None:
    result = rewrite_source(SCRIPT.format(layer=layer, run=run, net=net))
    assert [(step.status, step.code) for step in result.steps] == [("rewritten", None)]


@pytest.mark.parametrize(
    ("layer", "run", "net"),
    [
        ("self.body = nn.BatchNorm1d(4)", RUN, "Net()"),
        ("self.body = block(4)", RUN, "Net()"),
        ("self.body = nn.Dropout(0.1)", RUN, "Net()"),
        ("self.body = Scaled(4)", RUN, "Net()"),
        ("self.body = nn.Embedding(4, 4, max_norm=1.0)", RUN, "Net()"),
        ("self.body = nn.utils.spectral_norm(nn.Linear(4, 4))", RUN, "Net()"),
        ("self.body = body", RUN, "Net(nn.BatchNorm1d(4))"),
        ("self.body = body", "x = self.body.forward(x)", "Net(nn.BatchNorm1d(4))"),
        ("self.body = nn.Sequential(body)", RUN, "Net(nn.BatchNorm1d(4))"),
        ("self.register_buffer('seen', torch.zeros(1))", "self.seen += len(x)", "Net()"),
        ("self.calls = 0", "self.calls += 1", "Net()"),
        ("self.calls = []", "self.calls.append(len(x))", "Net()"),
        ("self.mean = torch.zeros(4)",
         "x = nn.functional.batch_norm(x, self.mean, self.mean + 1, training=True)", "Net()"),
        ("self.register_forward_hook(lambda *given: print(given))", "pass", "Net()"),
        (LINEAR, RUN, "torch.compile(body)"),
        (LINEAR, RUN, "nn.Sequential(*blocks)"),
    ],
)  # fmt: skip
def test_what_it_keeps_follows_the_order(layer: str, run: str, net: str) -> None:
    result = rewrite_source(SCRIPT.format(layer=layer, run=run, net=net))
    assert [step.code for step in result.steps] == ["OW203"]
