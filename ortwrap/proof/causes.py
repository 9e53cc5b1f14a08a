"""What a difference probably comes from: one sentence that says where to look first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ortwrap.proof.clues import (
    common_factor,
    drew_otherwise,
    in_mode,
    lasting_factor,
    listed,
    moved_otherwise,
    other_mode,
    other_parameters,
    whole_factor,
)
from ortwrap.proof.gaps import DROPOUT, Gap
from ortwrap.proof.recorder.modules import NOT_TRAINED
from ortwrap.proof.recording import Recording

_RATIO_SPREAD = 1e-3
_A_LITTLE = 3e-3
_LITTLE_BY_LITTLE = (
    "what is computed a little otherwise (an approximation, a lower precision, an eps) and adds "
    "up, or a gradient of the same size and another direction"
)


def likely_cause(found: Sequence[Gap], original: Recording, patched: Recording) -> str:
    """Read the first of `found`, which are in the order in which a run meets them.

    Args:
        found: the differences that count, at least one.
        original: the recording of the original.
        patched: the recording of the patched script.
    """
    first = found[0]
    if first.kind == "loss":
        return _of_loss(found, original, patched)
    if first.kind == "gradient":
        return _of_gradient(first, found, original, patched)
    if first.kind == "mode" and first.name == DROPOUT:
        return _DROPOUT_LEFT_ON
    if first.kind == "mode":
        return f"{first.name} is in {in_mode(first)}: look at what calls train() and eval()"
    if first.kind == "backwards" and first.step:
        return _of_backwards(first)
    if first.kind == "parameter":
        return _of_parameter(first, found, original, patched)
    if first.kind == "buffer":
        return _of_buffer(first, found)
    if first.kind in _OF_KIND:
        return _OF_KIND[first.kind].format(name=first.name)
    return "the two sides do not make the same number of backwards or steps"


_DROPOUT_LEFT_ON = (
    "losses and weights agree, compared without dropout, but one would be active where the "
    "original's is not: look at what calls eval() before an evaluation"
)
_OF_KIND = {
    "setting": "{name} is another one: look at how the optimizer and its schedule are made",
    "optimizer state": (
        "weights agree but what the optimizer remembers does not: it will train on otherwise"
    ),
    "printed": (
        "training agrees but what the script prints of it does not: look at the mode of the model "
        "in evaluation, and at what is printed"
    ),
}


def _of_backwards(first: Gap) -> str:
    if (first.patched or 0) < (first.original or 0):
        return f"step {first.step} is made of fewer backwards: a batch or a micro-batch is skipped"
    return f"step {first.step} is made of more backwards: a step is skipped, or a batch seen twice"


def _of_loss(found: Sequence[Gap], original: Recording, patched: Recording) -> str:
    first = found[0]
    assert first.original is not None
    assert first.patched is not None
    if math.isnan(first.patched) != math.isnan(first.original):
        side = "patched" if math.isnan(first.patched) else "original"
        return f"only the {side} loss is nan: look at empty batches and labels that are all ignored"
    mode = other_mode(found, first.step or 1)
    if mode:
        return f"the two sides do not run in the same mode: {mode}"
    index = int(first.index)
    if first.step is not None and first.step > 1:
        return _of_later_loss(first.step, index, found, original, patched)
    generator = drew_otherwise(index, original, patched)
    if generator:
        return (
            f"before this loss {generator} has drawn more or fewer random numbers than on the "
            "other side: other data, another order of them, or noise that is drawn once more"
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
        "update: a term of the loss, the labels (shifted, or ignored by another index), a mask or "
        "a mode of the model is not the same"
    )


def _of_later_loss(
    step: int, index: int, found: Sequence[Gap], original: Recording, patched: Recording
) -> str:
    """Losses and gradients agreed up to here: the updates did not, or something was baked in."""
    otherwise = _another_setting(found) or _another_update(step, original, patched)
    if otherwise:
        return f"before step {step} losses and gradients agree, but {otherwise}"
    factor = whole_factor(index, original, patched)
    if factor is not None:
        return _of_factor(step, factor)
    generator = drew_otherwise(index, original, patched)
    if generator:
        return (
            f"losses, gradients and updates agree before step {step}, but by then {generator} has "
            "drawn more or fewer random numbers: data come in another order, a batch is left out, "
            "or noise is drawn once more or once less"
        )
    factor = lasting_factor(index, original, patched)
    if factor is not None:
        return _of_factor(step, factor)
    first = found[0]
    is_little = first.size <= _A_LITTLE * abs(first.original or 0.0)
    return (
        f"losses, gradients, updates and random numbers agree before step {step}: "
        f"{f'{_LITTLE_BY_LITTLE}; or ' if is_little else ''}a Python value, a shape or a mode that "
        "changes there was baked into the exported graph, a buffer or a state that steps hand on "
        "(hidden units, a queue) went stale, or other data come"
    )


def _another_setting(found: Sequence[Gap]) -> str:
    """A clause for a number that an optimizer works with; empty where all are the same."""
    setting = next((g for g in found if g.kind == "setting" and g.patched is not None), None)
    if setting is None:
        return ""
    return (
        f"{setting.name} is {setting.patched:g} where the original has {setting.original:g}: look "
        "at how the optimizer and its schedule are made"
    )


def _another_update(steps: int, original: Recording, patched: Recording) -> str:
    """A clause for the first of `steps` before which parameters moved otherwise, if one did."""
    for number in range(steps):
        moved = moved_otherwise(original, patched, number)
        if moved:
            when = f"from step {number} to step {number + 1}" if number else "before step 1"
            return (
                f"{when} something moves {listed(moved)} otherwise: look at the update and at what "
                "else changes weights"
            )
    return ""


def _of_factor(step: int, factor: float) -> str:
    return (
        f"all agrees before step {step}, whose loss is {factor:.4g} times the original's: another "
        "reduction (sum for mean), or a factor that is missing or doubled, in what is trained from "
        "there on"
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


def _of_gradient(first: Gap, found: Sequence[Gap], original: Recording, patched: Recording) -> str:
    if first.original is None:
        return other_parameters(original, patched)
    here = [gap for gap in found if gap.kind == "gradient" and gap.step == first.step]
    lost = [gap.name for gap in here if gap.original and not gap.patched]
    gained = [gap.name for gap in here if gap.patched and not gap.original]
    if lost and len(lost) == int((original.grad_norms[(first.step or 1) - 1][1] > 0).sum()):
        return (
            "no gradient reaches any parameter of the optimizer: it trains another copy of the "
            "model, gradients are cleared before it steps, or the loss is detached"
        )
    if lost:
        return f"no gradient reaches {listed(lost)} any more: something before it is detached"
    if gained:
        return (
            f"{listed(gained)} gets a gradient that the original stops: a detach is not honoured, "
            "or what is frozen there is trained"
        )
    factor = common_factor(here)
    if factor is not None:
        return (
            f"the losses of step {first.step} agree but all its gradients are {factor:.4g} times "
            "the original's: look at clipping, unscaling and accumulation"
        )
    agreed = f"the losses of step {first.step} agree but the gradients do not"
    name = first.name or "the parameter"
    otherwise = f"the operator that {name} belongs to is differentiated otherwise"
    if original.is_first_of_its_optimizer((first.step or 1) - 1):
        return f"{agreed}: a part of the loss is detached on its way to {name}, or {otherwise}"
    return f"{agreed}: gradients of an earlier step are left over, or {otherwise}"


def _of_parameter(first: Gap, found: Sequence[Gap], original: Recording, patched: Recording) -> str:
    if first.original is None:
        return f"{first.name} is not there on the patched side, or has another shape"
    names = listed([gap.name for gap in found if gap.kind == "parameter"])
    if NOT_TRAINED in first.name:
        return (
            f"all that is trained agrees, but not {names}: a copy or an average of weights "
            "(EMA) that is updated otherwise, or more or less often"
        )
    steps = min(original.steps, patched.steps)
    otherwise = _another_setting(found) or _another_update(steps, original, patched)
    if otherwise:
        return f"losses and gradients agree, but {otherwise}"
    return (
        f"losses and gradients agree, each within its tolerance, but not {names}: "
        f"{_LITTLE_BY_LITTLE}, or what changes parameters outside the optimizer"
    )


def _of_buffer(first: Gap, found: Sequence[Gap]) -> str:
    if first.original is None:
        return f"{first.name} is not there on the patched side, or has another shape"
    names = [gap.name for gap in found if gap.kind == "buffer"]
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    counted = next((gap for gap in found if gap.name.endswith("num_batches_tracked")), None)
    if counted is not None and counted.patched:
        return (
            f"the BatchNorm {counted.name.rpartition('.')[0]} counts {counted.patched:g} batches "
            f"where the original's counts {counted.original:g}: a forward pass too many or too "
            "few, an evaluation in the wrong mode, or statistics that are not updated"
        )
    if any(name.rpartition(".")[2] in statistics for name in names):
        return (
            "BatchNorm statistics are not updated as eager does it (once for each batch, with the "
            "momentum of the layer), so evaluation differs although training agrees"
        )
    return f"{listed(names)} is not updated by the exported graph as eager does it"
