"""Tensors that are made of nothing but their size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .registry import as_torch

_APART = [False]


@contextlib.contextmanager
def making_apart(apart: bool) -> Iterator[None]:
    """While a model is exported inside, torch makes each of them by itself, if so wanted."""
    before, _APART[0] = _APART[0], apart
    try:
        yield
    finally:
        _APART[0] = before


def _is_made_apart(g: Any, *_: Any) -> bool:
    return _APART[0]


OPERATORS = (
    *as_torch("zeros ones full new_zeros new_ones new_full", when=_is_made_apart),
    *as_torch("zeros_like ones_like full_like", when=_is_made_apart),
)
