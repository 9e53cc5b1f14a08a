"""Two ways to train that draw other random numbers: are their losses drawn from one distribution?

With dropout on, ONNX Runtime and eager draw other masks, so no single number of one run equals
that of the other. Over several seeds their means must agree, seed by seed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from ortwrap.proof.recording import Recording
from ortwrap.proof.verdict import Distribution

# Honest runs are called different once in a hundred verifications.
_FALSE_ALARMS = 0.01
_ROUNDING = 1e-5


def distributions(
    original: Sequence[Recording], patched: Sequence[Recording]
) -> tuple[Distribution, ...]:
    """Compare runs with the same seeds in the same order, at least two of each."""
    quantities = {
        "mean loss": _mean_loss,
        "loss of the last quarter": _last_losses,
        "mean gradient norm": _mean_gradient,
    }
    allowed = _FALSE_ALARMS / len(quantities)
    return tuple(
        _distribution(name, tuple(map(of, original)), tuple(map(of, patched)), allowed)
        for name, of in quantities.items()
    )


def _distribution(
    name: str, x: tuple[float, ...], y: tuple[float, ...], allowed: float
) -> Distribution:
    if not all(map(math.isfinite, (*x, *y))):
        alike = [math.isfinite(a) for a in x] == [math.isfinite(b) for b in y]
        return Distribution(name, x, y, 1.0 if alike else 0.0, not alike)
    p_value = paired_p_value(x, y)
    distance = abs(statistics.fmean(x) - statistics.fmean(y))
    rounding = _ROUNDING * max(1.0, abs(statistics.fmean(x)))
    return Distribution(name, x, y, p_value, p_value < allowed and distance > rounding)


def paired_p_value(x: Sequence[float], y: Sequence[float]) -> float:
    """Student's paired test, two-sided: the chance of such a difference between equals."""
    differences = [b - a for a, b in zip(x, y)]
    mean, spread = statistics.fmean(differences), statistics.stdev(differences)
    if spread == 0:
        return 1.0 if mean == 0 else 0.0
    return _beyond(abs(mean) / (spread / math.sqrt(len(differences))), len(differences) - 1)


def _beyond(t: float, freedom: int) -> float:
    """Chance that Student's t with so many degrees of freedom is outside of +-t.

    The integral of cos^(freedom-1) from atan(t / sqrt(freedom)) to a quarter of a circle, as a
    share of that from 0.
    """
    intervals = 2_000
    start, end = math.atan(t / math.sqrt(freedom)), math.pi / 2

    def integral(low: float, high: float) -> float:
        step = (high - low) / intervals
        middle = (low + (i + 0.5) * step for i in range(intervals))
        return step * math.fsum(math.cos(angle) ** (freedom - 1) for angle in middle)

    return integral(start, end) / integral(0.0, end)


def _mean_loss(recording: Recording) -> float:
    return statistics.fmean(recording.losses) if recording.losses else 0.0


def _last_losses(recording: Recording) -> float:
    losses = recording.losses
    return statistics.fmean(losses[-max(1, len(losses) // 4) :]) if losses else 0.0


def _mean_gradient(recording: Recording) -> float:
    norms = [float(each.clamp(min=0).norm()) for _, each in recording.grad_norms]
    return statistics.fmean(norms) if norms else 0.0
