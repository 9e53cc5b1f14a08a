"""What bench measured, as immutable values that print as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ortwrap.proof.verdict import Backend


@dataclass(frozen=True)
class Measured:
    """One way to run the script.

    Attributes:
        name: `eager`, `torch.compile`, `ORTModule(model)` or `ortwrap`.
        ms_per_step: median of all steps of all runs, the warm-up left out.
        ms_of_runs: the median of each run.
        quartiles: lower and upper quartile of the steps.
        ratio: how many times faster than eager a step is.
        warm_up_seconds: what the first steps took more than later ones, median of runs.
        break_even_steps: after how many steps the warm-up is paid back; None when never.
        peak_memory_mb: largest resident size, median of runs.
        ran_on: where the backwards ran.
        label_density: share of labels that are not ignored.
        label_sparsity: whether the graph drops ignored labels.
        note: what else to know, say why it fell back.
        failure: why there is no measurement.
        step_ms: every measured step.
    """

    name: str
    ms_per_step: float | None = None
    ms_of_runs: tuple[float, ...] = ()
    quartiles: tuple[float, float] | None = None
    ratio: float | None = None
    warm_up_seconds: float | None = None
    break_even_steps: int | None = None
    peak_memory_mb: float | None = None
    ran_on: Backend | None = None
    label_density: float | None = None
    label_sparsity: Literal["on", "off"] | None = None
    note: str = ""
    failure: str | None = None
    step_ms: tuple[float, ...] = ()


@dataclass(frozen=True)
class Benchmark:
    """All ways beside one another.

    Attributes:
        script: path of the script.
        steps: optimizer steps of each run.
        repeat: runs of each way.
        measured: eager first, ortwrap last.
        advice: one sentence: is it worth it here, and what would change that.
        environment: versions and machine.
        warning: why the times mean little; None when nothing speaks against them.
    """

    script: str
    steps: int
    repeat: int
    measured: tuple[Measured, ...]
    advice: str
    environment: Mapping[str, str]
    warning: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dump`."""
        return {"version": 1, **asdict(self)}
