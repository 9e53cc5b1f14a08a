"""Times that a step takes: none is left in front of a model that it was taken behind."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import time
import numpy as np
import torch
import torch.nn as nn

model = nn.Linear(6, 4)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in loader:
    start = time.time()
    out = model(x)
    {taken}
    weights = torch.from_numpy(np.ones(len(x), dtype=np.float32))
    {then}
    loss = criterion(out * weights[:, None], y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
"""


@pytest.mark.parametrize("taken", ["took = time.time() - start", "end = time.time()"])
def test_a_time_is_taken_behind_the_call(taken: str) -> None:
    text = rewrite_source(STEP.format(taken=taken, then="pass")).text
    assert f"loss = model_with_loss(x, weights, y)\n    {taken}\n" in text


@pytest.mark.parametrize(
    ("taken", "then"),
    [
        ("print(time.time() - start)", "pass"),
        ("took = time.time() - start", "print(took)"),
        ("took = time.time() - start", "start = time.time()"),
        ("times[0] = time.time() - start", "pass"),
    ],
)
def test_one_that_cannot_follow_refuses_the_step(taken: str, then: str) -> None:
    (step,) = rewrite_source(STEP.format(taken=taken, then=then)).steps
    assert step.code == "OW203"
    assert "the time that it takes would be without the model's" in step.message
    assert step.line == 17
