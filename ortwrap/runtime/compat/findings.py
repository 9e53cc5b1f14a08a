"""What the doctor says about one part of an environment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Severity(Enum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    """Training works, or is likely to; something is untested or slower than it need be."""
    ERROR = "error"
    """Training on ONNX Runtime does not work until this is mended."""


@dataclass(frozen=True)
class Finding:
    """One part of the environment, judged.

    Attributes:
        subject: which part, in one or two words.
        severity: how much it matters.
        found: what was seen there.
        meaning: what follows from it, in one sentence; empty when nothing does.
        remedy: the one command that mends it, None when there is nothing to mend.
    """

    subject: str
    severity: Severity
    found: str
    meaning: str = ""
    remedy: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "severity": self.severity.value}
