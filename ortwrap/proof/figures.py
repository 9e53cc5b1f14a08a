"""Numbers as people read them."""

from __future__ import annotations

import math


def short(value: float) -> str:
    """Four digits, and never an exponent for what is merely large: `0.5123`, `51.23`, `51234`."""
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def number(value: float | None) -> str:
    """A value and its sign, with an exponent where it is small; `nothing` for None."""
    if value is None:
        return "nothing"
    if not math.isfinite(value):
        return str(value)
    return f"{value:.6g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.1e}"


def share_of_time(ratio: float, whose: str) -> str:
    """How long a step takes that is `ratio` times as fast: `0.50 of eager's time (ratio 2.00)`."""
    share = 1 / ratio
    return f"{share:.2f} {'of' if share < 1 else 'times'} {whose} time (ratio {ratio:.2f})"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 step`, `2 steps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def milliseconds(value: float | None) -> str:
    """The time of a step."""
    return "too few steps to tell" if value is None else f"{short(value)} ms"


def megabytes(value: float | None) -> str:
    """The memory of a process."""
    return "unknown" if value is None else f"{value:.0f} MB"
