"""Functions of torch that are traced in another form, equal in what they compute.

Some layers read their counters as Python numbers or write to their buffers in place; a trace keeps
neither. While a model is traced, stand-ins do the same with operators that can be exported.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Callable


@dataclass(frozen=True)
class StandIn:
    """What replaces `owner.name` while a model is traced."""

    owner: Any
    name: str
    function: Callable[..., Any]


@contextlib.contextmanager
def standing_in(stand_ins: Iterable[StandIn]) -> Iterator[None]:
    """Puts the stand-ins in place, and the originals back."""
    with contextlib.ExitStack() as undo:
        for stand_in in stand_ins:
            original = vars(stand_in.owner)[stand_in.name]
            setattr(stand_in.owner, stand_in.name, stand_in.function)
            undo.callback(setattr, stand_in.owner, stand_in.name, original)
        yield
