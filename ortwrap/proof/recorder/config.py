"""What the runner tells the recorder, passed as a JSON file named by `ORTWRAP_RECORD`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

VARIABLE = "ORTWRAP_RECORD"

Variant = Literal["", "compile", "ortmodule", "ortmodule with operators"]


@dataclass(frozen=True)
class RecorderConfig:
    """Choices of one recorded run.

    Attributes:
        out: folder that the recordings are written to.
        steps: number of optimizer steps after which the script is stopped.
        seed: seed of torch, numpy and random when the script starts.
        seed_shift: what to add to every seed, those that the script sets itself included.
        keep_dropout: leave dropout on.
        nudge: relative change of every trained parameter at each step; 0 for none.
            A run nudged by rounding error shows how far honest runs lie apart.
        transparent: names of generated wrapper classes; the modules they hold are
            the script's own, they themselves are not.
        variant: how the script's models are called, for benchmarks: `compile` through
            `torch.compile`, `ortmodule` through ORTModule, also `with operators` of ortwrap's
            runtime for those that ORTModule cannot train; empty for as it is written.
        only_time: record times and losses, but no gradients and weights.
        sandbox: folder of copies that the script runs in; what it writes elsewhere is put back.
    """

    out: str
    steps: int
    seed: int = 0
    seed_shift: int = 0
    keep_dropout: bool = False
    nudge: float = 0.0
    transparent: tuple[str, ...] = ()
    variant: Variant = ""
    only_time: bool = False
    sandbox: str = ""

    def write(self, path: Path) -> None:
        """Write the file that `read` reads."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: str) -> RecorderConfig:
        """The configuration in a file that `write` wrote."""
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(**{**fields, "transparent": tuple(fields["transparent"])})
