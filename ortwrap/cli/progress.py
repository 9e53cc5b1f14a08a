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


# Fewer files are through before anybody has read a bar.
_MANY_FILES = 50


@contextmanager
def files_shown(total: int, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """A function that is told of each file that is through."""
    if quiet or total < _MANY_FILES or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("files", total=total)
        yield lambda: progress.advance(task)


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


@contextmanager
def runs_shown(ways: int, repeat: int, *, quiet: bool) -> Iterator[OnSteps]:
    """The same for many runs: one bar for all of them, one for the run of now."""
    if quiet or not sys.stderr.isatty():
        yield lambda side, made, wanted: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        runs: list[str] = []
        everything = progress.add_task("all runs", total=ways * repeat)
        here = progress.add_task("", total=None)

        def show(side: str, made: int, wanted: int) -> None:
            if side not in runs:
                runs.append(side)
                progress.reset(here, total=wanted, description=side)
            progress.update(here, completed=made)
            progress.update(everything, completed=len(runs) - 1 + made / wanted)

        yield show
