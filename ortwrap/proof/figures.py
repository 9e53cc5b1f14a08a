"""Numbers as people read them."""

from __future__ import annotations


def short(value: float) -> str:
    """Four digits, and never an exponent for what is merely large: `0.5123`, `51.23`, `51234`."""
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
