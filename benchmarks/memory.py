"""How much memory the first calls of a step need, in which its graph is compared with eager.

    python -m benchmarks.memory [--megabytes 100]

Trains a model of that size, in a process for each row: eagerly; on ONNX Runtime with a graph that
single precision suffices for; and with one that has to be proved in double precision. A row is the
most that the process ever held in the first call and in the steps after it, beside what it held
before, in multiples of the parameters. Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from ortwrap.runtime import compare, ort_module

MB = 2**20
KINDS = ("eager", "compared", "proved in double")
_STEPS = 4


class Step(nn.Module):
    """What the engine emits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.criterion = model, nn.CrossEntropyLoss()

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        loss: Tensor = self.criterion(self.model(data), target)
        return loss


def most_held() -> float:
    """Megabytes that the process held at most since this was last asked."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5")
    return peak / 1024


def measure(kind: str, megabytes: int) -> None:
    """Prints a row."""
    width = int((megabytes * MB / 4 / 6) ** 0.5)
    model = nn.Sequential(*[nn.Linear(width, width) for _ in range(6)], nn.Linear(width, 10))
    batch = torch.randn(32, width), torch.randint(0, 10, (32,))
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    step: Any = Step(model) if kind == "eager" else ort_module(Step, model)
    peaks = []
    most_held()
    before = most_held()
    for _ in range(_STEPS):
        optimizer.zero_grad()
        step(*batch).backward()
        optimizer.step()
        peaks.append(most_held())
    if kind != "eager":
        (row,) = step.report()["signatures"]
        if row["backend"] != "ort" or row["proved_in_double"] != (kind == KINDS[2]):
            sys.exit(f"{kind}: it did not run like that: {row}")
    size = sum(one.numel() * one.element_size() for one in model.parameters()) / MB
    first, later = ((peak - before) / size for peak in (peaks[0], max(peaks[1:])))
    print(f"{kind:<18}{size:>8.0f} MB{first:>12.1f}{later:>10.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=100, help="of parameters (default: 100)")
    parser.add_argument("--only", choices=KINDS, help="in this process, one row")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    if chosen.only:
        # Without a tolerance every difference has to be put down to rounding.
        strict = {torch.float32: 0.0} if chosen.only == KINDS[2] else {}
        with mock.patch.dict(compare._TOLERANCE, strict):
            measure(chosen.only, chosen.megabytes)
        return
    print(f"torch {torch.__version__}, in multiples of the parameters")
    print(f"{'':<18}{'parameters':>11}{'first call':>12}{'later':>10}")
    for kind in KINDS:
        command = [sys.executable, "-m", "benchmarks.memory", "--only", kind]
        subprocess.run([*command, "--megabytes", str(chosen.megabytes)], check=True)


if __name__ == "__main__":
    main()
