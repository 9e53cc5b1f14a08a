"""Progress of long work, on standard error and only where somebody looks at it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

OnSteps = Callable[[str, int, int], None]

_SIDES = {
    "original": "original script",
    "patched": "patched script",
    "noise": "original script, nudged by rounding",
}


@contextmanager
def steps_shown(*, quiet: bool) -> Iterator[OnSteps]:
    """A function that is told which side has made how many steps of how many."""
    if quiet or not sys.stderr.isatty():
        yield lambda side, made, wanted: None
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    tasks: dict[str, TaskID] = {}
    with Progress(console=Console(stderr=True), transient=True) as progress:

        def show(side: str, made: int, wanted: int) -> None:
            if side not in tasks:
                tasks[side] = progress.add_task(_SIDES.get(side, side), total=wanted)
            progress.update(tasks[side], completed=made)

        yield show
