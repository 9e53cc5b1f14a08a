"""Whether forward hooks its own gradients: an attempt would call those hooks as the script's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Callable

from torch import Tensor

from .reasons import Reason, current_place

_NAMES = ("register_hook", "retain_grad")


@contextlib.contextmanager
def hear_hooks() -> Iterator[list[Reason]]:
    """Collects what is called inside of that which hands on, or keeps, a gradient."""
    heard: list[Reason] = []
    own = {name: vars(Tensor).get(name) for name in _NAMES}
    for name in _NAMES:
        setattr(Tensor, name, _overheard(name, getattr(Tensor, name), heard))
    try:
        yield heard
    finally:
        for name, original in own.items():
            if original is None:
                delattr(Tensor, name)
            else:
                setattr(Tensor, name, original)


def _overheard(name: str, original: Callable[..., Any], heard: list[Reason]) -> Callable[..., Any]:
    def call(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
        heard.append(Reason(f"forward calls {name}", current_place()))
        return original(tensor, *args, **kwargs)

    return call
