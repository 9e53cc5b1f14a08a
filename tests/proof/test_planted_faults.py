"""Every fault planted in the patched side is caught, and the report points at it."""

from __future__ import annotations

import pytest

from tests.proof.conftest import SCRIPT, Check, replaced

LOSS = "criterion(logits, y) + weight * ((value - t) ** 2).mean()"
ADAM = replaced(SCRIPT, "SGD(model.parameters(), lr=0.1, momentum=0.9)", "Adam(model.parameters())")

# what is replaced, what by, what differs first, at which step, word in the likely cause
FAULTS = {
    "dropped loss term": (LOSS, "criterion(logits, y)", "loss", 1, "less than"),
    "sum instead of mean": (LOSS, f"8 * ({LOSS})", "loss", 1, "reduction"),
    "detached term": ("((value - t)", "((value.detach() - t)", "gradient", 1, "detached"),
    "detached logits": ("criterion(logits, y)", "criterion(logits.detach(), y)", "gradient", 1,
                        "detached"),
    "scalar baked in": ("weight *= 0.5", "pass", "loss", 8, "baked"),
    "update without effect": ("optimizer.step()", "optimizer.step(); model.load_state_dict(start)",
                              "loss", 2, "baked"),
    "BatchNorm in eval": ("logits, value = model(x)", "model.eval(); logits, value = model(x)",
                          "loss", 1, "mode"),
    "gradients left over": ("optimizer.zero_grad()", "pass", "gradient", 2, "differentiated"),
    "last parameters changed": ("optimizer.step()",
                                "model.aux.bias.data.add_(1e-2); optimizer.step()",
                                "loss", 2, "baked"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_caught_with_the_place_and_the_cause(check: Check, fault: str) -> None:
    old, new, what, step, word = FAULTS[fault]
    start = "import copy\nstart = copy.deepcopy(model.state_dict())\nfor epoch in range(3):"
    patched = replaced(replaced(SCRIPT, "for epoch in range(3):", start), old, new)

    verdict = check(SCRIPT, patched)

    assert verdict.status == "mismatch"
    assert verdict.exit_code == 1
    assert verdict.first_difference is not None
    assert (verdict.first_difference.what, verdict.first_difference.step) == (what, step)
    assert word in verdict.first_difference.likely_cause


def test_stale_batchnorm_statistics_though_every_loss_agrees(check: Check) -> None:
    stale = "bn = model.body[1]; keep = bn.running_var.clone(), bn.num_batches_tracked.clone()"
    restore = "bn.running_var.copy_(keep[0]); bn.num_batches_tracked.copy_(keep[1])"
    call = "logits, value = model(x)"
    patched = replaced(SCRIPT, call, f"{stale}; {call}")
    patched = replaced(patched, "optimizer.step()", f"optimizer.step(); {restore}")

    verdict = check(SCRIPT, patched)

    assert verdict.status == "mismatch"
    assert verdict.max_loss_diff == 0
    assert verdict.first_difference is not None
    assert verdict.first_difference.what == "buffer"
    assert verdict.first_difference.name == "Net.body.1.running_var"
    assert "BatchNorm" in verdict.first_difference.likely_cause


def test_a_detached_module_whose_gradients_are_small(check: Check) -> None:
    faint = replaced(ADAM, "weight = 0.5", "weight = 1e-4")
    patched = replaced(faint, "((value - t)", "((value.detach() - t)")

    verdict = check(faint, patched)

    assert verdict.first_difference is not None
    assert verdict.first_difference.name in ("Net.aux.weight", "Net.aux.bias")


def test_a_patched_script_that_dies(check: Check) -> None:
    dies = "if epoch == 1: raise ValueError('no kernel')\n        loss.backward()"
    verdict = check(SCRIPT, replaced(SCRIPT, "loss.backward()", dies))

    assert verdict.status == "mismatch"
    assert verdict.first_difference is not None
    assert (verdict.first_difference.what, verdict.first_difference.step) == ("steps", 8)
    assert "ValueError: no kernel" in verdict.messages[-1]
    assert "the original did not" in verdict.messages[-1]


def test_a_patched_script_killed_by_a_signal(check: Check) -> None:
    dies = "import os, signal; os.kill(os.getpid(), signal.SIGFPE)\n        loss.backward()"
    verdict = check(SCRIPT, replaced(SCRIPT, "loss.backward()", dies))

    assert verdict.status == "mismatch"
    assert "SIGFPE" in verdict.messages[-1]
