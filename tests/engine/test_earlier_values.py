"""An earlier value of a name comes out under its own name, unless it would be another there."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

STEP = """\
import torch
from torch import nn

model = nn.Linear(4, 2)
criterion = nn.MSELoss()
history = []


def penalize(loss):
    loss += 0.1 * model.weight.abs().mean()
    return loss


def train(x, y, writer, use):
    out = model(x)
    loss = criterion(out, y)
    {read}
    {again}
    loss.backward()
"""
IN_PLACE = "loss += 0.1 * model(x).abs().mean()"
IN_A_CALL = "loss = penalize(loss)"
ANEW = "loss = loss + 0.1 * model(x).abs().mean()"

NAMED = {
    "its number is taken": ("history.append(loss.item())", IN_PLACE),
    "it is shown": ('print(f"{loss:.3f}", end=" ")', IN_PLACE),
    "it is written down": ('writer.add_scalar("loss", loss.detach())', IN_PLACE),
    "under an option": ("if use:\n        print(loss)", IN_PLACE),
    "a copy is kept": ("history.append(loss.clone())", IN_PLACE),
    "its number is taken, and a call changes it": ("history.append(loss.item())", IN_A_CALL),
    "kept, and another made of it": ("history.append(loss.detach())", ANEW),
}
WOULD_BE_ANOTHER = {
    "kept, and changed in place": ("history.append(loss)", IN_PLACE),
    "kept, and changed in place by a call": ("history.append(loss)", IN_A_CALL),
    "kept without its graph, and changed in place": ("history.append(loss.detach())", IN_PLACE),
    "read by what runs later": ("history.append(lambda: loss)", ANEW),
    "asked for by name": ("print(locals())", ANEW),
}


@pytest.mark.parametrize(("read", "again"), NAMED.values(), ids=NAMED)
def test_it_is_named_where_it_is_only_used(read: str, again: str) -> None:
    result = rewrite_source(STEP.format(read=read, again=again))
    assert [step.status for step in result.steps] == ["rewritten"]
    assert "    loss, loss_so_far = model_with_loss(x, y)\n" in result.text
    copy = "" if again is ANEW else ".clone()"
    assert f"        loss_so_far = loss{copy}\n" in result.text


@pytest.mark.parametrize(("read", "again"), WOULD_BE_ANOTHER.values(), ids=WOULD_BE_ANOTHER)
def test_it_is_refused_where_it_would_be_another(read: str, again: str) -> None:
    result = rewrite_source(STEP.format(read=read, again=again))
    assert result.status == "refused"


def test_two_values_have_two_names() -> None:
    text = STEP.format(
        read='print(f"{loss}")\n    loss += model(x).mean()\n    print(f"{loss}")', again=IN_PLACE
    )
    result = rewrite_source(text)
    assert "loss, loss_so_far, loss_so_far_too = model_with_loss(x, y)" in result.text
