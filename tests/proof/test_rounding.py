"""Rounding is not taken for a fault, and no fault hides behind rounding."""

from __future__ import annotations

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
