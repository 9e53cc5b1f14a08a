"""Whether ONNX Runtime can train in this process, and its ORTModule made ready for it."""

from __future__ import annotations

import functools

from . import compat, extensions, operators
from .quiet import root_logger_kept
from .reasons import Reason

_REMEDY = "run: ortwrap doctor --fix"


@functools.lru_cache(maxsize=1)
def unavailable() -> Reason | None:
    """Why ORTModule cannot be used here, None when it can; bridges torch and imports it."""
    try:
        state = extensions.state()
    except extensions.NotInstallable as error:
        return Reason(f"ONNX Runtime training is not installed: {error}")
    if state is extensions.State.MISSING:
        return Reason(f"ORTModule's extensions are not built; {_REMEDY}")
    if state is extensions.State.STALE:
        return Reason(f"ORTModule's extensions were built for other versions; {_REMEDY}")
    try:
        with root_logger_kept():
            compat.apply()
            import onnxruntime.training.ortmodule  # noqa: F401

            operators.register()
    except Exception as error:
        return Reason.of_failure("ORTModule cannot be imported", error)
    return None
