"""Silence while a step is exported: ORTModule prints, logs and warns, from Python and from C++."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps the exporter's and ORTModule's chatter, and repeated prints of the model, away."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(root_logger_kept())
            sink = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(warnings.catch_warnings())
            stack.enter_context(contextlib.redirect_stdout(sink))
            stack.enter_context(contextlib.redirect_stderr(sink))
            stack.enter_context(_redirected(1, sink.fileno()))
            stack.enter_context(_redirected(2, sink.fileno()))
            yield
    finally:
        logging.disable(level)


@contextlib.contextmanager
def root_logger_kept() -> Iterator[None]:
    """Takes back what onnxruntime does to the root logger, for all of the process, when imported.

    Its handler would print a second time what the script's own loggers print, and make nothing of
    the script's `logging.basicConfig`.
    """
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        for added in [each for each in root.handlers if each not in handlers]:
            root.removeHandler(added)
        root.setLevel(level)


@contextlib.contextmanager
def _redirected(descriptor: int, target: int) -> Iterator[None]:
    """Sends what C++ writes to `descriptor` to `target` instead."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()
    try:
        saved = os.dup(descriptor)
    except OSError:
        # A process without that descriptor, such as a service, has nothing to keep quiet.
        yield
        return
    try:
        os.dup2(target, descriptor)
        yield
    finally:
        os.dup2(saved, descriptor)
        os.close(saved)
