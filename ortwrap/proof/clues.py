"""What two recordings tell beside their first difference: which parameters, which factor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ortwrap.proof.gaps import Gap
from ortwrap.proof.recorder.dice import GENERATORS, NOT_IMPORTED
from ortwrap.proof.recording import Recording

_SAME_FACTOR = 1e-3
# A share of a step's largest update by which another update is another one.
_OTHERWISE = 1e-2
_ONLY_ROUNDING = 1e-5
# Losses after an update that are larger by one factor are so no more exactly.
_ABOUT_THE_SAME = 0.1
_COMPARED = 4


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


def whole_factor(index: int, original: Recording, patched: Recording) -> float | None:
    """How many times the original's a patched loss is, if a whole number or the inverse of one.

    These are reductions, or factors of the accumulation.
    """
    ratio = next(iter(_ratios(index, original, patched)), 0.0)
    whole = max(ratio, 1 / ratio) if ratio > 0 else 0.0
    return ratio if whole >= 1.5 and abs(whole - round(whole)) < _SAME_FACTOR * whole else None


def lasting_factor(index: int, original: Recording, patched: Recording) -> float | None:
    """How many times the original's the patched losses are from one on, when several agree."""
    ratios = _ratios(index, original, patched)
    spread = max(ratios, default=0.0) - min(ratios, default=0.0)
    agree = len(ratios) == _COMPARED and spread < _ABOUT_THE_SAME * abs(ratios[0] - 1)
    return ratios[0] if agree else None


def _ratios(index: int, original: Recording, patched: Recording) -> list[float]:
    pairs = zip(original.losses[index:], patched.losses[index : index + _COMPARED])
    return [y / x for x, y in pairs if x and math.isfinite(y / x)]


def drew_otherwise(index: int, original: Recording, patched: Recording) -> str | None:
    """Which generator stood elsewhere at a backward: it was asked for more or fewer numbers."""
    here, there = (recording.dice[index : index + 1] for recording in (original, patched))
    return next(
        (
            name
            for x, y in zip(here, there)
            for name, a, b in zip(GENERATORS, x, y)
            if a != b and NOT_IMPORTED not in (a, b)
        ),
        None,
    )


def other_mode(found: Sequence[Gap], step: int) -> str:
    """A clause for the module that trains on one side only by then; empty when there is none."""
    gap = next((gap for gap in found if gap.kind == "mode" and gap.step and gap.step <= step), None)
    return "" if gap is None else f"{gap.name} is in {in_mode(gap)} from step {gap.step} on"


def in_mode(gap: Gap) -> str:
    """What mode the patched side is in, beside the original's."""
    modes = "training mode", "evaluation mode"
    patched, original = modes if gap.patched else modes[::-1]
    return f"{patched} where the original is in {original}"


def listed(names: Sequence[str]) -> str:
    """The first few of `names`."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
