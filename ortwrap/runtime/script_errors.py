"""Exceptions that belong to the script, though they come out of ONNX Runtime or of an export.

A handler of signals may raise wherever the process is, as a limit of time does; and a Function of
the user's may raise in its backward, which ONNX Runtime prints and makes a failure of its own of.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import traceback
import types

from .reasons import chain_of

_OF_LAST = ("last_type", "last_value", "last_traceback", "last_exc")


def last_printed() -> BaseException | None:
    """What Python printed last because nobody was there to catch it."""
    return getattr(sys, "last_value", None)


def raised_inside(error: Exception, before: BaseException | None) -> BaseException:
    """What Python code inside of a graph raised; `error` itself if none did.

    Args:
        error: what ONNX Runtime raised.
        before: what `last_printed` gave before it ran.
    """
    printed = last_printed()
    if printed is None or printed is before:
        return error
    for name in _OF_LAST:
        # They would keep all frames alive that it came through.
        with contextlib.suppress(AttributeError):
            delattr(sys, name)
    return printed


def raise_if_signalled(error: BaseException) -> None:
    """Raises what a handler of signals raised, if `error` is that or comes from it."""
    handlers = {_code_of(signal.getsignal(one)) for one in signal.valid_signals()} - {None}
    if not handlers:
        return
    for one in chain_of(error):
        frames = (frame for frame, _ in traceback.walk_tb(one.__traceback__))
        if any(frame.f_code in handlers for frame in frames):
            raise one


def _code_of(handler: object) -> types.CodeType | None:
    """The code of a handler that the script has installed, None of Python's own."""
    if handler is signal.default_int_handler:
        return None
    for function in (handler, getattr(type(handler), "__call__", None)):  # noqa: B004  # its code
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        if isinstance(code, types.CodeType):
            return code
    return None
