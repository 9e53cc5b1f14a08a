"""One sentence on whether the rewrite pays for this script on this machine."""

from __future__ import annotations

from collections.abc import Sequence

from ortwrap.proof.figures import share_of_time
from ortwrap.proof.measured import Measured

# Runs of one and the same program differ by about this much.
_SAME = 0.05
_SHORT_STEP_MS = 20.0
_FULL_OF_LABELS = 0.9


def advise(measured: Sequence[Measured]) -> str:
    """Worth it, not worth it, and what would change that.

    Args:
        measured: every way, eager first, ortwrap last.
    """
    eager, rewritten = measured[0], measured[-1]
    if rewritten.failure:
        return f"The patched script {rewritten.failure}: run `ortwrap verify` first."
    if rewritten.ran_on == "eager":
        reason = rewritten.note or "its step fell back"
        return f"Not worth it yet: the patched script ran eagerly ({reason})."
    assert rewritten.ratio is not None
    assert eager.ms_per_step is not None
    faster = _faster(measured[1:-1], rewritten)
    if rewritten.ratio > 1 + _SAME:
        return _worth_it(rewritten, faster)
    verdict = "No difference here" if rewritten.ratio > 1 - _SAME else "Not worth it here"
    reason = _what_would_change_that(eager, rewritten)
    return f"{verdict}: {_ratio(rewritten)}; {reason}{faster}."


def _faster(others: Sequence[Measured], rewritten: Measured) -> str:
    """A clause on another way that is faster still, and faster than eager."""
    measured = [each for each in others if each.ratio is not None and not each.note]
    best = max(measured, key=lambda each: each.ratio or 0.0, default=None)
    if best is None or (best.ratio or 0.0) < max(1.0, rewritten.ratio or 0.0) * (1 + _SAME):
        return ""
    return f"; {best.name} is faster here (ratio {best.ratio:.2f})"


def _worth_it(rewritten: Measured, faster: str) -> str:
    steps = rewritten.break_even_steps
    pays = f"; the export is paid back after {steps} steps" if steps else ""
    density = rewritten.label_density
    because = (
        f", with {100 * density:.0f} % of labels valid and the others dropped before the loss"
        if rewritten.label_sparsity == "on" and density is not None and density <= _FULL_OF_LABELS
        else ""
    )
    return f"Worth it: {_ratio(rewritten)}{because}{pays}{faster}."


def _ratio(rewritten: Measured) -> str:
    time = share_of_time(rewritten.ratio or 1.0, "eager's")
    return f"a step takes {time}"


def _what_would_change_that(eager: Measured, rewritten: Measured) -> str:
    density = rewritten.label_density
    if (eager.ms_per_step or 0.0) < _SHORT_STEP_MS:
        return (
            f"steps of {eager.ms_per_step:.1f} ms are short beside the fixed cost of a graph call; "
            "a larger model or batch would change that"
        )
    if density is not None and density > _FULL_OF_LABELS:
        return (
            f"{100 * density:.0f} % of its labels are valid, so none can be dropped; "
            "padding or masking that is ignored in the loss would change that"
        )
    if density is not None:
        return "a larger vocabulary or a smaller share of valid labels would change that"
    return "a cross entropy over many classes with ignored labels is where the gain is largest"
