"""A helper may take values out of a batch to raise, and out of nothing else."""

from __future__ import annotations

import pytest

from ortwrap.engine import rewrite_source

SCRIPT = """\
import torch
import torch.nn.functional as F


def checked_loss(logits, labels):
    {check}
    return F.cross_entropy(logits, labels)


def train(model, loader, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        logits = model(x)
        loss = checked_loss({given})
        loss.backward()
        optimizer.step()
"""


def _codes(check: str) -> list[str | None]:
    script = SCRIPT.format(check=check, given="logits, y")
    return [step.code for step in rewrite_source(script).steps]


@pytest.mark.parametrize(
    "check",
    [
        'if (labels < 0).any().item(): raise ValueError("negative")',
        "assert labels.max().item() < 10",
        "assert int(labels.min()) >= 0",
        "assert labels.max() < 10, labels.tolist()",
        "if (labels < 0).any(): raise ValueError(int(labels.min()))",
    ],
)
def test_a_check_of_the_batch_goes_into_forward(check: str) -> None:
    assert _codes(check) == [None]


@pytest.mark.parametrize(
    ("check", "given"),
    [
        pytest.param(
            "assert not logits.isnan().any().item()", "logits, y", id="of what the model gave"
        ),
        pytest.param("assert labels.max().item() < 10", "logits, logits.argmax(1)", id="computed"),
        pytest.param(
            "if labels.max().item() > 9: logits = logits * 2", "logits, y", id="decides more"
        ),
        pytest.param("labels = labels + 1; assert labels.max().item() < 10", "logits, y", id="own"),
        pytest.param("highest = labels.max().item(); assert highest < 10", "logits, y", id="kept"),
    ],
)
def test_another_value_is_not_taken(check: str, given: str) -> None:
    # A helper of any number of arguments is not written out in the step.
    script = SCRIPT.replace("logits, labels):", "logits, labels, *more):")
    result = rewrite_source(script.format(check=check, given=given))
    assert [step.code for step in result.steps] == ["OW301"]
