"""Random generators that a model owns, beside the global ones of Python, NumPy and torch."""

from __future__ import annotations

import random
from collections.abc import Hashable
from typing import Any

import torch


def is_generator(value: Any) -> bool:
    """Whether `value` is what random numbers are drawn from."""
    kind = type(value)
    return isinstance(value, (torch.Generator, random.Random)) or (
        kind.__module__.startswith("numpy.random") and kind.__name__ in ("Generator", "RandomState")
    )


def position(generator: Any) -> Hashable:
    """Where a generator stands; equal as long as nobody has drawn from it."""
    if isinstance(generator, torch.Generator):
        return bytes(generator.get_state().numpy())
    if isinstance(generator, random.Random):
        return generator.getstate()
    source = getattr(generator, "bit_generator", None)
    return repr(source.state if source is not None else generator.get_state(legacy=False))
