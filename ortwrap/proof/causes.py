"""What a difference probably comes from: one sentence that says where to look first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ortwrap.proof.gaps import Gap
from ortwrap.proof.recording import Recording

_RATIO_SPREAD = 1e-3


def likely_cause(found: Sequence[Gap], original: Recording, patched: Recording) -> str:
    """Read the first of `found`, which are in the order in which a run meets them.

    Args:
        found: the differences that count, at least one.
        original: the recording of the original.
        patched: the recording of the patched script.
    """
    first = found[0]
    if first.kind == "loss":
        return _of_loss(first, original, patched)
    if first.kind == "gradient":
        return _of_gradient(first, found)
    if first.kind == "parameter":
        return _of_parameter(first)
    if first.kind == "buffer":
        return _of_buffer(first, found)
    return "the two sides do not make the same number of backwards or steps"


def _of_loss(first: Gap, original: Recording, patched: Recording) -> str:
    assert first.original is not None
    assert first.patched is not None
    if math.isnan(first.patched) != math.isnan(first.original):
        side = "patched" if math.isnan(first.patched) else "original"
        return f"only the {side} loss is nan: look at empty batches and labels that are all ignored"
    if first.step != 1:
        return (
            f"losses and gradients agree before step {first.step}: a Python value or a shape that "
            "changes there was baked into the exported graph, or the weights moved apart before"
        )
    ratio = _constant_ratio(original, patched)
    if ratio is not None:
        return (
            f"every loss is {ratio:.6g} times the original's: another reduction "
            "(sum for mean), or a factor that is missing or doubled"
        )
    offset = first.patched - first.original
    direction = "less" if offset < 0 else "more"
    return (
        f"the very first loss is {abs(offset):.6g} {direction} than the original's, before any "
        "update: a term of the loss, a mask or a mode of the model is not the same"
    )


def _constant_ratio(original: Recording, patched: Recording) -> float | None:
    """The factor between the losses of the first step; later ones diverge."""
    ratios = [
        y / x
        for x, y, step in zip(original.losses, patched.losses, original.loss_steps)
        if step < 2 and x and math.isfinite(y / x)
    ]
    if len(ratios) < 2 or abs(ratios[0] - 1) < 1e-2:
        return None
    spread = max(ratios) - min(ratios)
    # Whole factors and their inverses are reductions; after one update others drift.
    whole = max(ratios[0], 1 / ratios[0]) if ratios[0] > 0 else 0.0
    is_whole = whole >= 1.5 and abs(whole - round(whole)) < _RATIO_SPREAD * whole
    return ratios[0] if is_whole or spread < _RATIO_SPREAD * abs(ratios[0]) else None


def _of_gradient(first: Gap, found: Sequence[Gap]) -> str:
    here = [gap for gap in found if gap.kind == "gradient" and gap.step == first.step]
    lost = [gap.name for gap in here if gap.original and not gap.patched]
    gained = [gap.name for gap in here if gap.patched and not gap.original]
    if lost:
        return f"no gradient reaches {_listed(lost)} any more: something before it is detached"
    if gained:
        return (
            f"{_listed(gained)} gets a gradient that the original stops: a detach is not honoured"
        )
    return (
        f"the losses of step {first.step} agree but the gradients do not: the operator that "
        f"{first.name or 'the parameter'} belongs to is differentiated otherwise"
    )


def _of_parameter(first: Gap) -> str:
    if first.original is None:
        return f"{first.name} is not there on the patched side, or has another shape"
    return (
        "losses and gradients agree but the parameters do not: look at weight decay of parameters "
        "without gradient, and at what changes parameters outside the optimizer"
    )


def _of_buffer(first: Gap, found: Sequence[Gap]) -> str:
    if first.original is None:
        return f"{first.name} is not there on the patched side, or has another shape"
    names = [gap.name for gap in found if gap.kind == "buffer"]
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    if any(name.rpartition(".")[2] in statistics for name in names):
        return (
            "BatchNorm statistics are not updated as eager does it, so evaluation differs although "
            "training agrees"
        )
    return f"{_listed(names)} is not updated by the exported graph as eager does it"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
