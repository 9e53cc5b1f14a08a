"""What the runs were made with, for whoever wants to repeat them."""

from __future__ import annotations

import os
import platform
from importlib import metadata

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
    """A warning when other programs keep this machine busy, so that times mean little."""
    if not hasattr(os, "getloadavg"):
        return None
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load <= _BUSY * processors:
        return None
    return (
        f"other programs keep this machine busy (load {load:.1f} on {processors} processors): "
        "step times mean little"
    )
