"""Tries a training step under ORTModule, in a process of its own: extensions that do not fit crash.

Run as a module, it trains a tiny model eagerly and under ORTModule and prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_MARK = "ortwrap-probe: "
_TOLERANCE = 1e-5
_LIMIT_SECONDS = 300


@dataclass(frozen=True)
class ProbeResult:
    """Whether a model trained under ORTModule as it does eagerly; `detail` says how or why not."""

    ok: bool
    detail: str


def try_training() -> ProbeResult:
    """Trains two steps in a new process; whatever happens there is the result."""
    checkout_or_site_packages = Path(__file__).resolve().parents[3]
    try:
        process = subprocess.run(
            [sys.executable, "-m", __name__],
            cwd=checkout_or_site_packages,
            # A silent fallback to eager would pass for success.
            env={**os.environ, "ORTMODULE_FALLBACK_POLICY": "FALLBACK_DISABLE"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ProbeResult(False, f"did not finish within {_LIMIT_SECONDS} s")
    for line in process.stdout.splitlines():
        if line.startswith(_MARK):
            return ProbeResult(**json.loads(line[len(_MARK) :]))
    return ProbeResult(False, _how_it_died(process))


def _how_it_died(process: subprocess.CompletedProcess[str]) -> str:
    if process.returncode < 0:
        return f"killed by {signal.Signals(-process.returncode).name}"
    lines = process.stderr.strip().splitlines() or ["no output"]
    return f"exit status {process.returncode}: {lines[-1]}"


def _main() -> None:
    """Every failure is a result here: the doctor reports it."""
    try:
        difference = _largest_difference_after_training()
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        result = {"ok": False, "detail": f"{type(error).__name__}: {lines[0]}"}
    else:
        ok = difference <= _TOLERANCE
        result = {"ok": ok, "detail": f"as eager does; largest difference {difference:.1e}"}
    print(_MARK + json.dumps(result))


def _largest_difference_after_training() -> float:
    """Largest difference of a parameter between eager and ORTModule after two steps."""
    from ortwrap.runtime import compat

    compat.apply()
    import torch
    from onnxruntime.training.ortmodule import ORTModule

    eager, under_ort = _model(), _model()
    under_ort.load_state_dict(eager.state_dict())
    inputs, labels = torch.randn(2, 4, 6), torch.randint(0, 3, (2, 4))
    for step in (eager, ORTModule(under_ort)):
        optimizer = torch.optim.SGD(step.parameters(), lr=0.1)
        for batch, target in zip(inputs, labels):
            optimizer.zero_grad()
            step(batch, target).backward()
            optimizer.step()
    pairs = zip(eager.parameters(), under_ort.parameters())
    return max(float((ours - theirs).abs().max()) for ours, theirs in pairs)


def _model() -> torch.nn.Module:
    """A model with its loss; a custom `autograd.Function` makes it use both extensions."""
    import torch

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(value)
            return value * value

        @staticmethod
        def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
            (value,) = ctx.saved_tensors
            gradient: torch.Tensor = 2 * value * gradients[0]
            return gradient

    class WithLoss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(6, 3)
            self.criterion = torch.nn.CrossEntropyLoss()

        def forward(self, batch: torch.Tensor, target: torch.Tensor) -> Any:
            squared = Square.apply(self.linear(batch))  # type: ignore[no-untyped-call]
            return self.criterion(squared, target)

    return WithLoss()


if __name__ == "__main__":
    _main()
