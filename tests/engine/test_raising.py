"""A loss does not move past what may raise, where training goes on after that."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import rewrite_beside

from ortwrap.engine import rewrite_source

HEAD = """\
import torch
from torch import nn

model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def check(y):
    if y.max() > 2:
        raise ValueError("bad label")
"""
IN_A_LOOP = """

for x, y in batches():
    try:
        out = model(x)
        {check}
        loss = criterion(out, y)
        loss.backward()
    except {caught}:
        continue
"""
AROUND_THE_LOOP = """

try:
    for x, y in batches():
        out = model(x)
        check(y)
        loss = criterion(out, y)
        loss.backward()
except ValueError:
    print("stopped")
"""
BY_THE_CALLER = """

def step(x, y):
    out = model(x)
    check(y)
    loss = criterion(out, y)
    loss.backward()


for x, y in batches():
    try:
        step(x, y)
    except {caught}:
        continue
"""


@pytest.mark.parametrize(
    ("check", "caught", "code"),
    [
        ("check(y)", "ValueError", "OW203"),
        ("assert y.max() < 3", "AssertionError", "OW203"),
        ("check(y)", "(OSError, ValueError) as error", "OW203"),
        ("check(y)", "Exception", "OW203"),
        ("check(y)", "KeyboardInterrupt", None),
        ("assert y.max() < 3", "RuntimeError", None),
        ("print(y.max())", "Exception", None),
    ],
)
def test_a_step_that_is_skipped_has_no_loss(check: str, caught: str, code: str | None) -> None:
    (step,) = rewrite_source(HEAD + IN_A_LOOP.format(check=check, caught=caught)).steps
    assert step.code == code


@pytest.mark.parametrize(("caught", "code"), [("ValueError", "OW203"), ("OSError", None)])
def test_so_it_is_where_the_caller_catches(caught: str, code: str | None) -> None:
    (step,) = rewrite_source(HEAD + BY_THE_CALLER.format(caught=caught)).steps
    assert step.code == code


def test_where_training_ends_it_does_not_matter() -> None:
    (step,) = rewrite_source(HEAD + AROUND_THE_LOOP).steps
    assert step.status == "rewritten"


def test_a_function_of_another_file_raises_as_well(tmp_path: Path) -> None:
    imports, _, check = HEAD.partition("\n\n\ndef")
    (tmp_path / "checks.py").write_text(f"def{check}")
    script = f"from checks import check\n{imports}" + IN_A_LOOP.format(
        check="check(y)", caught="ValueError"
    )
    (step,) = rewrite_beside(tmp_path / "train.py", script).steps
    assert "it may raise, and the loss would have been computed before" in step.message
