"""What the runs were made with, for whoever wants to repeat them."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path

_PACKAGES = (
    "ortwrap",
    "torch",
    "onnxruntime-training",
    "onnxruntime-training-cpu",
    "onnx",
    "numpy",
)

# Share of the processors that others may use before times are doubted.
_BUSY = 0.5
# Seconds to look at them for.
_WATCHED = 0.5


def environment() -> dict[str, str]:
    """Versions and machine, by name."""
    installed = {each.metadata["Name"]: each.version for each in metadata.distributions()}
    return {
        "python": platform.python_version(),
        **{package: installed[package] for package in _PACKAGES if package in installed},
        "machine": platform.platform(),
        "processors": str(os.cpu_count()),
    }


def busy() -> str | None:
    """A warning when other programs keep this machine busy, so that times mean little.

    Asked while this process waits: the load average would count what it ran a minute ago.
    """
    before = _seconds_worked()
    time.sleep(_WATCHED)
    after = _seconds_worked()
    if before is None or after is None:
        return None
    at_work, processors = (after - before) / _WATCHED, os.cpu_count() or 1
    if at_work <= _BUSY * processors:
        return None
    return (
        f"other programs keep {at_work:.1f} of the {processors} processors of this machine busy: "
        "step times mean little"
    )


def _seconds_worked() -> float | None:
    """Seconds that all processors together have been at work; None where Linux does not tell."""
    try:
        text = Path("/proc/stat").read_text(encoding="ascii")
    except OSError:
        return None
    user, nice, system, _, _, *others = map(int, text.split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")
