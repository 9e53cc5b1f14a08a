"""What came of one case."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass


class Verdict(str, enum.Enum):
    """How a case trains."""

    EXACT = "exact"
    NOISE = "noise"
    EAGER = "eager"
    DIFFERS = "differs"
    RAISES = "raises"
    DIES = "dies"


@dataclass(frozen=True)
class Outcome:
    """What came of one case under one backend.

    Attributes:
        verdict: how it trains; exact is on ONNX Runtime and equal to eager, noise as near to
            eager as eager with other kernels is.
        detail: by how much it differs, what it raised, or why it ran eagerly.
        seconds: how long the case took.
    """

    verdict: Verdict
    detail: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "verdict": self.verdict.value}

    @classmethod
    def from_json(cls, values: dict[str, object]) -> Outcome:
        verdict, detail, seconds = values["verdict"], values["detail"], values["seconds"]
        return cls(Verdict(verdict), str(detail), float(str(seconds)))
