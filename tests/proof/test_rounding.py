"""Rounding is not taken for a fault, and no fault hides behind rounding."""

from __future__ import annotations

import pytest

from tests.proof.conftest import SCRIPT, Check, replaced

# The bias before a BatchNorm has a gradient of pure rounding noise, which Adam scales up to
# whole steps of the learning rate.
ADAM = replaced(
    SCRIPT,
    "SGD(model.parameters(), lr=0.1, momentum=0.9)",
    "Adam(model.parameters(), lr=1e-2)",
)
OTHER_ORDER = replaced(ADAM, "logits, value = model(x)", """\
order = torch.arange(len(x)).flip(0)
        logits, value = model(x[order])
        logits, value = logits[order], value[order]""")  # fmt: skip


def test_another_order_of_summation_matches(check: Check) -> None:
    verdict = check(ADAM, OTHER_ORDER)

    assert verdict.status == "match"
    assert verdict.within_noise
    assert verdict.max_param_diff is not None
    assert verdict.max_param_diff > 1e-3
    assert verdict.noise is not None
    assert verdict.noise["parameter"] > 1e-3


def test_a_small_fault_beside_rounding_is_caught(check: Check) -> None:
    patched = replaced(OTHER_ORDER, "weight * (", "(weight + 1e-3) * (")

    verdict = check(ADAM, patched)

    assert verdict.status == "mismatch"


def test_a_first_loss_that_makes_much_of_rounding_is_reproducible_all_the_same(
    check: Check,
) -> None:
    # The last digits of a large number decide its sine.
    steep = replaced(ADAM, "criterion(logits, y)", "(4e4 * logits.mean()).sin()")
    patched = replaced(
        steep,
        "logits, value = model(x)",
        """\
order = torch.arange(len(x)).flip(0)
        logits, value = model(x[order])
        logits, value = logits[order], value[order]""",
    )

    verdict = check(steep, patched, steps=1)

    assert verdict.status == "match", (verdict.messages, verdict.first_difference)
    assert verdict.within_noise
    assert (verdict.noise or {})["loss"] > 3e-4


def test_an_original_that_is_not_reproducible_proves_nothing(check: Check) -> None:
    unseeded = replaced(SCRIPT, "model = Net()", "torch.seed(); model = Net()")

    verdict = check(unseeded, unseeded)

    assert verdict.status == "error"
    assert verdict.exit_code == 2
    assert "not seeded" in verdict.messages[-1]


# A softmax does not see what the bias of its keys adds to every score, so the true gradient of
# that bias is zero. The last output hardly counts.
ATTENTION = """\
import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        scores = q @ k.transpose(1, 2) / 8**0.5
        return self.head(torch.softmax(scores, dim=-1) @ v)


data, labels = torch.randn(12, 4, 6, 8), torch.randint(0, 3, (12, 4, 6))
model = Attention()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, eps=1e-6)
criterion = nn.CrossEntropyLoss()
for x, y in zip(data, labels):
    out = model(x)
    faint = 1e-8 * out[..., 3].mean()
    loss = criterion(out[..., :3].flatten(0, 1), y.flatten()) + faint
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
# Gradients on the way through a larger number are rounded more coarsely.
COARSER = replaced(
    ATTENTION,
    "        return",
    "        if scores.requires_grad:\n"
    "            scores.register_hook(lambda gradient: gradient + 0.1 - 0.1)\n        return",
)


def test_rounding_that_only_the_patched_side_has_is_told_from_a_gradient(check: Check) -> None:
    verdict = check(ATTENTION, COARSER)

    assert verdict.status == "match", verdict.first_difference
    assert verdict.within_noise
    assert "Attention.qkv.bias: gradients are zero" in verdict.messages[-1]
    assert verdict.max_param_diff is not None
    assert verdict.noise is not None
    assert verdict.max_param_diff > 4 * verdict.noise["parameter"]


FAULTS_BESIDE_IT = {
    "a faint gradient where there is none": (
        "+ faint",
        "+ faint + 1e-4 * model.qkv.bias[8:16].sum()",
    ),
    "no gradient where there is a faint one": ("out[..., 3]", "out[..., 3].detach()"),
    "a faint gradient turned around": ("+ faint", "- faint"),
    "a bias moved by hand": ("optimizer.step()", "optimizer.step(); model.qkv.bias.data[8] += 0.1"),
}


@pytest.mark.parametrize("fault", FAULTS_BESIDE_IT)
def test_a_fault_close_to_it_is_caught(check: Check, fault: str) -> None:
    verdict = check(ATTENTION, replaced(COARSER, *FAULTS_BESIDE_IT[fault]))

    assert verdict.status == "mismatch"
    assert verdict.first_difference is not None
    assert verdict.first_difference.what == "parameter"
