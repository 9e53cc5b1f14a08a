"""Verify with dropout on: several seeds on both sides, and their distributions compared."""

from __future__ import annotations

from dataclasses import replace

from ortwrap.proof.distributions import distributions
from ortwrap.proof.patched import Patched
from ortwrap.proof.recording import Recording
from ortwrap.proof.trial import Trial, run_trial
from ortwrap.proof.verdict import Difference, Verdict
from ortwrap.proof.verification import Verification


def verdict_over_seeds(verification: Verification, twin: Patched, seeds: int) -> Verdict:
    """Run both sides with each of `seeds` seeds, and compare how they train on average."""
    verdict = verification.costs_of(twin)
    if verdict.status != "match":
        return verdict
    verdict = verification.with_maxima(verdict, verification.patched(twin))
    original: list[Recording] = []
    patched: list[Recording] = []
    for number in range(seeds):
        pair = _pair(verification, twin, number)
        failed = [trial.failure for trial in pair if trial.failure]
        if failed:
            message = f"with seed {verdict.seed + number} a side {failed[0]}"
            return replace(verdict, status="error", messages=(*verdict.messages, message))
        original.append(pair[0].recordings[0])
        patched.append(pair[1].recordings[0])
    found = distributions(original, patched)
    verdict = replace(verdict, seeds=seeds, distributions=found)
    first = next((each for each in found if each.apart), None)
    if first is None:
        return verdict
    without = _without_dropout(verification, twin)
    difference = Difference(
        what=first.name,
        name="",
        step=None,
        original=sum(first.original) / seeds,
        patched=sum(first.patched) / seeds,
        size=abs(sum(first.original) - sum(first.patched)) / seeds,
        likely_cause=_cause(without),
    )
    return replace(
        verdict,
        status="mismatch",
        first_difference=difference,
        without_dropout=without.status,
    )


def _pair(verification: Verification, twin: Patched, number: int) -> tuple[Trial, Trial]:
    if number == 0:
        return verification.original, verification.patched(twin)
    setting, name = verification.setting, f"seed {verification.setting.seed + number}"
    return (
        run_trial(setting, f"original, {name}", seed_shift=number),
        run_trial(setting, f"patched, {name}", twin=twin, seed_shift=number),
    )


def _without_dropout(verification: Verification, twin: Patched) -> Verdict:
    setting = replace(verification.setting, keep_dropout=False)
    return Verification(setting, verification.blank, ", no dropout").of(twin)


def _cause(without: Verdict) -> str:
    if without.status == "match":
        return (
            "with dropout off and one seed both sides agree, so it is the random numbers: a "
            "dropout that is missing, doubled or of another probability"
        )
    cause = "with dropout off and one seed the difference is still there"
    first = without.first_difference
    if first is None:
        return cause
    when = f" at step {first.step}" if first.step else ""
    return f"{cause}: {first.what} {first.name}{when}, {first.likely_cause}"
