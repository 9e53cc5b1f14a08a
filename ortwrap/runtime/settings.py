"""The environment variables that `ortwrap.runtime` reads, in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# A step that needs more graphs than this keeps changing: exporting again costs more than it saves.
MAX_GRAPHS = 8
# More than this, graphs or not: what the step reads changes with every call.
MAX_SIGNATURES = 64
# Different shapes for which a graph that turned a shape into a number is compared with eager.
MAX_SHAPE_CHECKS = 64

_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True)
class Settings:
    """What the user asked for through the environment.

    Attributes:
        eager: run every wrapper eagerly, to compare (`ORTWRAP_BACKEND=eager`).
        trust: skip the guards once a graph has been exported (`ORTWRAP_TRUST=1`).
        report: where the process writes what ran (`ORTWRAP_REPORT=file.json`);
            processes of a rank above 0 append it to the name.
        system_malloc: leave the allocator of the process as it is (`ORTWRAP_MALLOC=system`);
            see machine.py.
    """

    eager: bool
    trust: bool
    report: Path | None
    system_malloc: bool


def read() -> Settings:
    """The settings of this process, read anew on each call.

    Raises:
        ValueError: `ORTWRAP_BACKEND` is neither `ort` nor `eager`.
    """
    backend = os.environ.get("ORTWRAP_BACKEND", "ort").strip().lower() or "ort"
    if backend not in ("ort", "eager"):
        raise ValueError(f"ORTWRAP_BACKEND must be 'ort' or 'eager', not {backend!r}")
    report = os.environ.get("ORTWRAP_REPORT", "")
    rank = os.environ.get("RANK", "0")
    if report and rank != "0":
        report = f"{report}.{rank}"
    return Settings(
        eager=backend == "eager",
        trust=os.environ.get("ORTWRAP_TRUST", "").strip().lower() in _TRUE,
        report=Path(report) if report else None,
        system_malloc=os.environ.get("ORTWRAP_MALLOC", "").strip().lower() == "system",
    )
