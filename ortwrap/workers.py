"""Many files at once, where that pays; in order, and whatever happens to one of them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
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
    """The outcome of each file, in the order of `paths`; all are at work before one is asked for.

    A file that takes its process down (out of memory, a crash in a parser) gets a fault;
    the files that were waiting go on.
    """
    pool = _pool(min(processors(), len(paths)))
    again = [partial(job, path, options) for path in paths]
    return _collect(pool, paths, [pool.submit(each) for each in again], again)


def _collect(
    pool: ProcessPoolExecutor,
    paths: Sequence[str],
    futures: Sequence[Future[Outcome]],
    again: Sequence[Callable[[], Outcome]],
) -> Iterator[Outcome]:
    with pool:
        for path, future, alone in zip(paths, futures, again):
            yield _outcome(path, future, alone)


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
    if method == "fork":
        # What all of them need is imported once; nothing of it is garbage.
        import ortwrap.engine.informed  # noqa: F401

        gc.freeze()
    context = multiprocessing.get_context(method)
    return ProcessPoolExecutor(
        size, mp_context=context, initializer=_start_worker, initargs=(os.getpid(),)
    )


def _start_worker(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the pool
    if os.name == "posix":
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A parent that is killed cannot stop its pool: each worker has to see that it is gone."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
