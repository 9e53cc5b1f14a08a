"""How a training process shares the cores and the memory of its machine with ONNX Runtime.

torch's worker threads spin for milliseconds after each parallel operator, and ONNX Runtime's need
their cores in that time: operators of torch inside a graph run on the calling thread unless they
are large. And glibc gives freed blocks back to the kernel, which has to clear every page of the
next optimizer step's temporaries anew.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import os
import threading
from collections.abc import Iterator

import torch

from . import settings

_MB = 2**20
# glibc's mallopt: blocks from this size on are mapped anew each time, and this much stays free.
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1
_MAPPED_FROM, _KEPT_FREE = 256 * _MB, 512 * _MB

# Operators of torch over fewer elements are faster than the spin that would follow them is long.
_SMALL = 2**20
_HEAVY = "conv mm matmul linear attention lstm gru rnn dist einsum upsample linalg".split()


class _Outside(threading.local):
    """How many threads torch has outside of the graph that this thread runs, 0 outside of any."""

    threads = 0


_OUTSIDE = _Outside()


@contextlib.contextmanager
def inside_graph() -> Iterator[None]:
    """ONNX Runtime computes: operators of torch that it calls run on this thread alone."""
    threads = torch.get_num_threads()
    _OUTSIDE.threads, before = threads, _OUTSIDE.threads
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        _OUTSIDE.threads = before


@contextlib.contextmanager
def threads_for(heavy: bool, elements: int) -> Iterator[None]:
    """Gives an operator of torch inside a graph all threads, if it is worth waking them.

    Sizes alone decide, and not how long it took before: results must not depend on that.

    Args:
        heavy: whether its work is no small multiple of its elements.
        elements: of its tensors.
    """
    if _OUTSIDE.threads < 2 or not (heavy or elements >= _SMALL):
        yield
        return
    torch.set_num_threads(_OUTSIDE.threads)
    try:
        yield
    finally:
        torch.set_num_threads(1)


def is_heavy(name: str) -> bool:
    """Whether the work of an operator of torch is no small multiple of its elements."""
    return any(word in name for word in _HEAVY)


@functools.cache
def keep_freed_memory() -> bool:
    """Lets the allocator of the process keep what is freed; returns whether it does.

    Not where the user has chosen how it works, and only with glibc.
    """
    chosen = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
    if settings.read().system_malloc or any(name in os.environ for name in chosen):
        return False
    with contextlib.suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018  # mallopt of another library means something else
        return bool(
            libc.mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM)
            and libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_FREE)
        )
    return False


def give_back() -> None:
    """Frees what only cycles of references hold, and hands it to the kernel.

    A twin of the model in double precision, its graph and its gradients are many times the size of
    the model, and Python looks for such cycles when it has made many objects, however large.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
