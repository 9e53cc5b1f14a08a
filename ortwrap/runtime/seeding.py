"""Whether forward sets the state of torch's random numbers, which a graph would not do again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

_SETTERS = frozenset(["manual_seed", "seed", "set_state"])


@contextlib.contextmanager
def hear_seeds() -> Iterator[list[str]]:
    """Collects the setters of torch's generator for the CPU that are called inside.

    `torch.manual_seed`, `torch.set_rng_state` and `torch.random.fork_rng` go through it.
    """
    heard: list[str] = []
    names = vars(torch.random)
    generator = names["default_generator"]
    names["default_generator"] = _Overheard(generator, heard)
    try:
        yield heard
    finally:
        names["default_generator"] = generator


class _Overheard:
    """A generator that notes when its state is set."""

    def __init__(self, generator: torch.Generator, heard: list[str]) -> None:
        self._generator = generator
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        if name in _SETTERS:
            self._heard.append(name)
        return getattr(self._generator, name)
