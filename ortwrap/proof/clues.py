"""What two recordings tell beside their first difference: which parameters, which factor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ortwrap.proof.gaps import Gap
from ortwrap.proof.recording import Recording

_SAME_FACTOR = 1e-3
# A share of a step's largest update by which another update is another one.
_OTHERWISE = 1e-2
_ONLY_ROUNDING = 1e-5


def most_telling(found: Sequence[Gap]) -> Gap:
    """The first gap, or, of the gradients that differ with it, one that came or went altogether."""
    first = found[0]
    if first.kind != "gradient":
        return first
    together = [gap for gap in found if (gap.kind, gap.step) == (first.kind, first.step)]
    return next((gap for gap in together if bool(gap.original) != bool(gap.patched)), first)


def moved_otherwise(original: Recording, patched: Recording, step: int) -> list[str]:
    """Names of the parameters that moved differently up to a step (from 0), the worst first."""
    if step >= min(original.steps, patched.steps):
        return []
    optimizer, x = original.moves(step)
    other, y = patched.moves(step)
    if optimizer != other or x.shape != y.shape or not x.numel():
        return []
    allowed = _OTHERWISE * torch.maximum(x.abs(), y.abs()).amax(dim=0)
    if not step:
        allowed = torch.zeros_like(allowed)
    # Sums of large parameters are rounded themselves.
    rounding = 1e-5 * (1e-3 + original.checksums[step].abs())
    share = ((x - y).abs() - rounding - allowed).amax(dim=1)
    # Of a gradient that is rounding only, as of a bias before a BatchNorm, Adam makes anything.
    norms = original.grad_norms[step][1]
    share[norms <= _ONLY_ROUNDING * norms.max()] = 0.0
    places = [int(place) for place in share.argsort(descending=True) if share[place] > 0]
    return [original.name(f"{optimizer}/{place}") for place in places]


def other_parameters(original: Recording, patched: Recording) -> str:
    """Why an optimizer has other gradients: it was given other parameters."""
    missing = sorted(set(original.names.values()) - set(patched.names.values()))
    added = sorted(set(patched.names.values()) - set(original.names.values()))
    if missing:
        return f"an optimizer of the patched side does not train {listed(missing)}"
    if added:
        return f"an optimizer of the patched side trains {listed(added)}, the original's does not"
    return "the optimizers step in another order, or have their parameters in another order"


def common_factor(gradients: Sequence[Gap]) -> float | None:
    """How many times larger the patched gradients of a step are, when all are by one factor."""
    ratios = [
        gap.patched / gap.original
        for gap in gradients
        if gap.original and gap.patched and math.isfinite(gap.patched / gap.original)
    ]
    if len(ratios) < 2 or max(ratios) - min(ratios) > _SAME_FACTOR * abs(ratios[0]):
        return None
    return ratios[0]


def listed(names: Sequence[str]) -> str:
    """The first few of `names`."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
