"""A process that trains models one after the other, so that one that dies takes no other along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..operators.coverage.outcome import Outcome
from ..operators.coverage.worker import serve


def _load() -> tuple[Mapping[str, Sequence[Any]], Callable[..., Outcome]]:
    from .models import MODELS
    from .trial import run

    return MODELS, run


if __name__ == "__main__":
    serve(_load)
