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


def environment() -> dict[str, str]:
    """Versions and machine, by name."""
    installed = {each.metadata["Name"]: each.version for each in metadata.distributions()}
    return {
        "python": platform.python_version(),
        **{package: installed[package] for package in _PACKAGES if package in installed},
        "machine": platform.platform(),
        "processors": str(os.cpu_count()),
    }
