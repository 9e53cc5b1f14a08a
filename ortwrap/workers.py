"""Many files at once, where that pays; in order, and whatever happens to one of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from ortwrap.engine.options import Options
from ortwrap.outcome import Fault, Outcome

Job = Callable[[str, Options], Outcome]

# A pool takes 50 ms to fork and more than a second to spawn; a file with a step about 150 ms.
_PAYS_FROM = 8 if sys.platform == "linux" else 40


def pays(costly: int) -> bool:
    """Whether so many files that need the whole engine are worth a pool of processes."""
    return costly >= _PAYS_FROM and processors() > 1


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(job: Job, paths: Sequence[str], options: Options) -> Iterator[Outcome]:
    """The outcome of each file, in the order of `paths`.

    A file that takes its process down (out of memory, a crash in a parser) gets a fault;
    the files that were waiting go on.
    """
    with _pool(processors()) as pool:
        futures = [pool.submit(job, path, options) for path in paths]
        for path, future in zip(paths, futures):
            yield _outcome(path, future, partial(job, path, options))


def _outcome(path: str, future: Future[Outcome], again: Callable[[], Outcome]) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        # This file or another one did it: alone in a process it shows which.
        with _pool(1) as pool:
            try:
                return pool.submit(again).result()
            except BrokenProcessPool:
                return Outcome(path, fault=Fault("its process died; is there enough memory?"))


def _pool(size: int) -> ProcessPoolExecutor:
    method = "fork" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(method)
    return ProcessPoolExecutor(size, mp_context=context, initializer=_leave_interrupts_to_parent)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
