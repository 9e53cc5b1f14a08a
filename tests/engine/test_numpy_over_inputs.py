"""What NumPy computes of inputs alone is computed before the call; forward has no NumPy."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import random

import numpy as np
import torch
from torch import nn

counts = np.zeros(3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        pass
        return self.layer(x)


net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def indexed(labels):
    labels = labels.astype(int)
    return torch.from_numpy(labels)


def train(x, y, rounds):
    for i in range(rounds):
        loss = criterion(net(x), LABELS)
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("labels", "argument"),
    [
        ("y[np.arange(i)]", "y[np.arange(i)]"),
        ("torch.from_numpy(np.asarray(y))", "torch.from_numpy(np.asarray(y))"),
        ("y) * np.exp(-i", "np.exp(-i)"),
        ("y) * (np.exp(-i) if i > 2 else 1.0", "np.exp(-i) if i > 2 else 1.0"),
        ("torch.as_tensor(np.array([v for v in y]))", "np.array([v for v in y])"),
        ("indexed(np.array(y))", "indexed(np.array(y))"),
        (
            "indexed(np.array(y)) if i else indexed(y)",
            "indexed(np.array(y)) if i else indexed(y)",
        ),
    ],
)
def test_the_caller_computes_it(labels: str, argument: str) -> None:
    text = rewrite_source(SCRIPT.replace("LABELS", labels)).text
    (call,) = [line for line in text.splitlines() if "= net_with_loss(" in line]
    assert argument in call
    assert text.count("np.") - text.count("np.zeros") == labels.count("np.")


@pytest.mark.parametrize(
    ("labels", "run", "code"),
    [
        ("y[np.random.permutation(i)]", "x = x + np.random.randn()", "OW304"),
        ("y * random.random()", "x = x * random.random()", "OW304"),
        ("y[np.argsort(counts)]", "counts[0] += 1", "OW211"),
        ("y[np.argsort(net(x).detach().numpy())]", "pass", "OW304"),
        ("torch.stack([torch.from_numpy(np.array(v)) for v in y])", "pass", "OW304"),
    ],
)
def test_what_the_model_may_have_to_do_with_is_refused(labels: str, run: str, code: str) -> None:
    text = SCRIPT.replace("LABELS", labels).replace("pass", run)
    (step,) = rewrite_source(text).steps
    assert step.code == code
