"""What a patched script imports.

    from ortwrap.runtime import ort_module

Loads torch when `ort_module` is first asked for, and onnxruntime at the first export: the doctor
has to run where neither is installed. Never imports the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .module import TrainingStep, ort_module
    from .reasons import OrtwrapWarning

__all__ = ["OrtwrapWarning", "TrainingStep", "ort_module"]


def __getattr__(name: str) -> Any:
    if name == "OrtwrapWarning":
        from . import reasons

        return reasons.OrtwrapWarning
    if name in ("TrainingStep", "ort_module"):
        from . import module

        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
