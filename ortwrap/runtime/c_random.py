"""Where the generator behind C's `rand()` stands, which sampling operators of extensions draw from.

glibc keeps it in an array that can be exchanged for another: what is kept outside of the array is
noted in its first word then, so that the bytes are all of the state.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

# By the kind of generator, which is the first word modulo their number.
_SIZES = (8, 32, 64, 128, 256)
_SPARE = ctypes.create_string_buffer(_SIZES[0])


def take() -> bytes | None:
    """The state of the generator; None where it cannot be had."""
    libc = _glibc()
    if libc is None:
        return None
    at = _exchange(libc)
    state = ctypes.string_at(at, _size(at))
    libc.setstate(at)
    return state


def restore(state: bytes | None) -> None:
    """Puts back what `take` gave."""
    libc = _glibc()
    if libc is None or state is None:
        return
    at = _exchange(libc)
    if _size(at) == len(state):  # else another one has been put in its place
        ctypes.memmove(at, state, len(state))
    libc.setstate(at)


def _exchange(libc: Any) -> int:
    """Lets the generator run on spare memory; returns where its own is, with its position."""
    at: int = libc.initstate(1, _SPARE, len(_SPARE))
    return at


def _size(at: int) -> int:
    return _SIZES[ctypes.c_int32.from_address(at).value % len(_SIZES)]


@functools.cache
def _glibc() -> Any:
    try:
        libc: Any = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018  # other libraries keep it in another way
    except (OSError, TypeError, AttributeError):
        return None
    libc.initstate.restype = ctypes.c_void_p
    libc.initstate.argtypes = (ctypes.c_uint, ctypes.c_char_p, ctypes.c_size_t)
    libc.setstate.restype = ctypes.c_void_p
    libc.setstate.argtypes = (ctypes.c_void_p,)
    return libc
