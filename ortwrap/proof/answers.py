"""The three questions that notes on converging under ONNX Runtime ask of a difference."""

from __future__ import annotations

from ortwrap.proof.figures import number
from ortwrap.proof.verdict import Verdict


def answers(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """Each question with its answer for this verdict; nothing when nothing was compared."""
    was_compared = verdict.max_param_diff is not None or verdict.distributions
    if verdict.status == "error" or not was_compared:
        return ()
    return (
        ("How far apart do two eager runs with different seeds lie?", _of_seeds(verdict)),
        ("Which step differs first?", _of_steps(verdict)),
        ("Is it still there with dropout off and seeds fixed?", _of_dropout(verdict)),
    )


def _of_seeds(verdict: Verdict) -> str:
    if verdict.distributions:
        losses = verdict.distributions[0].original
        return (
            f"Over {verdict.seeds} seeds the mean loss of the original goes from "
            f"{min(losses):.4g} to {max(losses):.4g}."
        )
    if verdict.other_seed is None:
        because = ", there is no difference to judge" if verdict.status == "match" else ""
        return f"Not measured{because}; --other-seed measures it."
    loss = verdict.other_seed.get("loss")
    if loss is None:
        return "Their losses could not be compared."
    if not loss:
        return "Not at all: the script draws nothing at random."
    here = verdict.max_loss_diff or 0.0
    share = f", {loss / here:.2g} times this difference of {number(here)}" if here else ""
    return f"Their losses differ by up to {loss:.3g}{share}."


def _of_steps(verdict: Verdict) -> str:
    first = verdict.first_unequal_step
    equal = (
        "Losses and gradients of all steps are equal to the last digit"
        if first is None
        else f"Step {first} is the first whose loss or gradients are not equal to the last digit"
    )
    if verdict.distributions:
        return (
            f"{equal} with seed {verdict.seed}; with other masks their means must agree, not they."
        )
    if verdict.first_difference is not None:
        step = verdict.first_difference.step
        if step is not None and step == first:
            return (
                f"Step {step}: it is the first that is not equal, and is beyond tolerance at once."
            )
        where = f"step {step}" if step else "the end"
        return f"{equal}; the first difference beyond tolerance and rounding is at {where}."
    rounding = "what rounding makes of the original itself"
    within = rounding if verdict.within_noise else "the tolerance"
    return f"{equal}; no difference is beyond {within}."


def _of_dropout(verdict: Verdict) -> str:
    if verdict.dropout == "off":
        seed = f"seed {verdict.seed}"
        return f"All of this is with dropout off and {seed} for torch, numpy and random."
    if verdict.without_dropout is None:
        return "Dropout is on, and the seeds agree on average: there is no difference to explain."
    still = {"match": "No, both sides agree then.", "mismatch": "Yes, it is still there."}
    return still.get(verdict.without_dropout, "It could not be found out.")
