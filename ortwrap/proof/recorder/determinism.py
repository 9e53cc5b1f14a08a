"""The same random numbers on both sides."""

from __future__ import annotations

import functools
from typing import Any


def seed_random(seed: int, shift: int = 0) -> None:
    """Seed Python's generator; every later seed is shifted too."""
    import random

    _shift_seeds(random, "seed", shift)
    random.seed(seed)


def seed_numpy(seed: int, shift: int = 0) -> None:
    """Seed numpy's global generator, and every new one that the script gives no seed."""
    import numpy

    _shift_seeds(numpy.random, "seed", shift)
    numpy.random.seed(seed % 2**32)
    default_rng = numpy.random.default_rng

    @functools.wraps(default_rng)
    def seeded_default_rng(given: Any = None) -> Any:
        return default_rng(seed + shift if given is None else given)

    setattr(numpy.random, "default_rng", seeded_default_rng)  # noqa: B010


def seed_torch(seed: int, shift: int = 0) -> None:
    """Seed torch's generators on every device."""
    import torch

    _shift_seeds(torch, "manual_seed", shift)
    torch.manual_seed(seed)


def _shift_seeds(module: Any, name: str, shift: int) -> None:
    """Let a script that sets its own seed, as most do, have another one all the same."""
    if not shift:
        return
    set_seed = getattr(module, name)

    @functools.wraps(set_seed)
    def set_shifted_seed(seed: Any = None, *args: Any, **kwargs: Any) -> Any:
        return set_seed(seed + shift if isinstance(seed, int) else seed, *args, **kwargs)

    setattr(module, name, set_shifted_seed)
