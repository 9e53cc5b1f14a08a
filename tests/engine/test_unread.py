"""What a function makes no use of is not run by it: a module that it takes and never looks at."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

SCRIPT = """\
from torch import nn
from torch.nn import functional as F
from data import prepare


def train(batches):
    model = nn.Linear(4, 2)
    for batch in batches:
        x, y = prepare(batch, {model}, with_weights=False)
        loss = F.mse_loss(model(x), y)
        loss.backward()
"""
HELPER = """\
{decorator}
def prepare(batch, model, with_weights):
    x, y = batch
    {between}
    return x, y
"""
READ = [
    ("it reads it", "", "x = model(x) if with_weights else x"),
    ("it hands it on", "", "x = embed(x, net=model)"),
    ("it may read it", "", "x = eval('model(x)')"),
    ("its decorator may", "@with_model", "x = x + 1"),
]


@pytest.mark.parametrize("given", ["model", "model=model"])
def test_what_takes_a_module_unread_stays_outside(tmp_path: Path, given: str) -> None:
    helper = HELPER.format(decorator="", between="model_of = {'model': 1}")
    (tmp_path / "data.py").write_text(helper)
    text = rewrite_beside(tmp_path / "train.py", SCRIPT.format(model=given)).text
    assert f"\n        x, y = prepare(batch, {given}, with_weights=False)\n" in text
    assert "loss = model_with_loss(x, y)" in text


@pytest.mark.parametrize(
    ("decorator", "between"), [row[1:] for row in READ], ids=[row[0] for row in READ]
)
def test_what_may_read_it_goes_into_forward(tmp_path: Path, decorator: str, between: str) -> None:
    (tmp_path / "data.py").write_text(HELPER.format(decorator=decorator, between=between))
    result = rewrite_beside(tmp_path / "train.py", SCRIPT.format(model="model"))
    assert "loss = model_with_loss(x, y)" not in result.text
