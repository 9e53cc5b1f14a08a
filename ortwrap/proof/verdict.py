"""What verify found, as immutable values that print as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from ortwrap.proof.tolerance import Tolerances

Status = Literal["match", "mismatch", "error"]
Backend = Literal["ort", "eager", "mixed"]

# How the runtime's reason ends for a call that it ran eagerly to check a new graph against.
COMPARISON = "to compare"

_EXIT_CODES = {"match": 0, "mismatch": 1, "error": 2}


@dataclass(frozen=True)
class Difference:
    """The first thing in which the two runs differ.

    Attributes:
        what: `loss`, `gradient`, `mode` (1 for training), `parameter`, `buffer`,
            `optimizer state`, `setting` (of an optimizer), `printed` (a loss or a score), `steps`
            or `backwards`.
        name: the parameter or the like; empty for losses and counts.
        step: 1-based optimizer step; None for what was compared at the end.
        original: value on the original side; of a tensor the element most
            different, of a gradient its norm; None where there is none.
        patched: the same on the patched side.
        size: the absolute difference.
        likely_cause: one sentence; empty when nothing points anywhere.
        rank: of a distributed run, the process.
    """

    what: str
    name: str
    step: int | None
    original: float | None
    patched: float | None
    size: float
    likely_cause: str = ""
    rank: int = 0


@dataclass(frozen=True)
class PrintedPair:
    """A loss or a score that both sides printed, as their evaluation does.

    Attributes:
        label: the words before it.
        original: its value on the original side.
        patched: its value on the patched side.
        line: what the original printed.
        patched_line: what the patched side printed.
        differs: by more than it may.
        rank: of a distributed run, the process.
    """

    label: str
    original: float
    patched: float
    line: str
    patched_line: str
    differs: bool
    rank: int = 0


@dataclass(frozen=True)
class Process:
    """One of several processes, compared with its twin of the same rank.

    Attributes:
        rank: its rank.
        backwards: losses compared.
        on_ort: how many backwards of the patched side went through ONNX Runtime.
        max_loss_diff: largest difference of a loss.
        max_grad_norm_diff: largest difference of the norm of one parameter's gradient.
        max_param_diff: largest difference of a parameter's element at the end.
        printed: losses and scores that it printed on both sides.
        max_printed_diff: largest difference of one of these.
    """

    rank: int
    backwards: int
    on_ort: int
    max_loss_diff: float | None
    max_grad_norm_diff: float | None
    max_param_diff: float | None
    printed: int
    max_printed_diff: float | None


@dataclass(frozen=True)
class WrapperReport:
    """One exported, or not exported, signature of one wrapper, as `ORTWRAP_REPORT` has it.

    Attributes:
        wrapper: name of the generated class.
        signature: what is particular to its arguments, `float32[8, 3], int64[8]`.
        backend: `ort` or `eager`; None for a wrapper that was never called.
        reason: why eager, all the time.
        place: `file:line` of what caused it.
        calls: how often it was called.
        eager_calls: how many of the calls ran eagerly, by reason.
        export_seconds: what the export took; None where there was none.
        loss_in_graph: the loss is computed by the exported graph.
        label_sparsity: `on` when that graph drops ignored labels.
        label_density: share of labels that are not ignored.
        label_densities: the same of each batch, with its place among all of the process.
    """

    wrapper: str
    backend: str | None
    signature: str = ""
    reason: str | None = None
    place: str | None = None
    calls: int = 0
    eager_calls: Mapping[str, int] = field(default_factory=dict)
    export_seconds: float | None = None
    loss_in_graph: bool | None = None
    label_sparsity: str | None = None
    label_density: float | None = None
    label_densities: tuple[tuple[int, float], ...] = ()

    @property
    def compared_calls(self) -> int:
        """Calls that ran eagerly only to compare a new graph with."""
        return sum(n for reason, n in self.eager_calls.items() if reason.endswith(COMPARISON))

    @property
    def ran_eagerly(self) -> tuple[tuple[str, int], ...]:
        """Why calls ran eagerly, and how many."""
        return tuple((reason, n) for reason, n in self.eager_calls.items() if n)


@dataclass(frozen=True)
class Execution:
    """What ran where on the patched side, read from what executed.

    Attributes:
        ran_on: `ort` when every backward went through ONNX Runtime, `eager` when
            none did; None when nothing was recorded.
        reasons: why something ran eagerly.
        compared_calls: calls that ran eagerly only to compare a new graph with; they
            do not make a run `mixed`.
        loss_in_graph: the loss of every backward came out of the exported graph.
        label_sparsity: `on` when the optimized graph drops ignored labels.
        label_density: share of labels that are not ignored.
        export_seconds: time that exports took, all together.
        exports: how many graphs were exported.
        label_densities: the share of valid labels, batch by batch.
        wrappers: every wrapper that was called, one row for each signature of its calls.
    """

    ran_on: Backend | None = None
    reasons: tuple[str, ...] = ()
    compared_calls: int = 0
    loss_in_graph: bool | None = None
    label_sparsity: Literal["on", "off"] | None = None
    label_density: float | None = None
    export_seconds: float | None = None
    exports: int = 0
    label_densities: tuple[float, ...] = ()
    wrappers: tuple[WrapperReport, ...] = ()


@dataclass(frozen=True)
class Side:
    """Losses and cost of one side; of several processes, the first, or the one that differs.

    Attributes:
        ms_per_step: median after the warm-up; None with too few steps.
        step_ms: every step, the recorder's own time taken off.
        losses: value of every backward.
        loss_kinds: which of several losses that take turns each one is; empty where all are one.
        peak_memory_mb: largest resident size of the process.
    """

    ms_per_step: float | None = None
    step_ms: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    peak_memory_mb: float | None = None
    loss_kinds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Distribution:
    """One quantity of every run.

    Attributes:
        name: what it is.
        original: its value with each seed.
        patched: the same on the patched side.
        p_value: how often two equal programs would lie at least as far apart.
        apart: they are further apart than chance makes them.
    """

    name: str
    original: tuple[float, ...]
    patched: tuple[float, ...]
    p_value: float
    apart: bool


@dataclass(frozen=True)
class Verdict:
    """Whether the patched script trains as the original does.

    Attributes:
        status: `match`, `mismatch`, or `error` when it could not be found out.
        script: path of the script.
        steps: steps compared.
        steps_by: `optimizer`, or `backward` where no optimizer of torch ever stepped.
        backwards: losses compared.
        max_loss_diff: largest difference of a loss; None when nothing was compared.
        max_param_diff: largest difference of a parameter's element at the end.
        max_buffer_diff: the same of buffers.
        max_grad_norm_diff: largest difference of the norm of one parameter's gradient.
        max_state_diff: largest difference of what an optimizer remembers (averages, counts).
        max_setting_diff: the same of an optimizer's own numbers, as the learning rate.
        max_printed_diff: the same of losses and scores that both sides printed.
        printed: how many of these there were.
        printed_pairs: the last of these, and the first that differs, with their lines.
        first_unequal_step: the first step whose loss or gradients are not equal to the last
            digit; None when all are.
        first_difference: the first one beyond tolerance and noise.
        within_noise: some difference is over the tolerance, but no more than what
            rounding makes of the original itself.
        other_seed: the same between the original and itself with another seed; None when it
            was not run.
        noise: what the original differs from itself when nudged by rounding error:
            the same figures; None when there was no need to measure it.
        seeds: with dropout on, how many seeds both sides were run with; else 1.
        distributions: with dropout on, what was compared over these seeds.
        without_dropout: with dropout on and a difference, the status with dropout off.
        execution: what ran where.
        original: cost of the original.
        patched: cost of the patched script.
        tolerances: what counted as the same.
        dropout: `off` or `on`, on both sides.
        seed: seed of torch, numpy and random on both sides.
        processes: how many processes trained.
        ranks: where several did, each of them.
        busy: other programs kept the machine busy, so that no conclusion is drawn from times.
        messages: what else the user should know.
        output: the end of what a failed script printed.
    """

    status: Status
    script: str
    steps: int = 0
    steps_by: Literal["optimizer", "backward"] = "optimizer"
    backwards: int = 0
    max_loss_diff: float | None = None
    max_param_diff: float | None = None
    max_buffer_diff: float | None = None
    max_grad_norm_diff: float | None = None
    max_state_diff: float | None = None
    max_setting_diff: float | None = None
    max_printed_diff: float | None = None
    printed: int = 0
    printed_pairs: tuple[PrintedPair, ...] = ()
    first_unequal_step: int | None = None
    first_difference: Difference | None = None
    within_noise: bool = False
    noise: dict[str, float] | None = None
    other_seed: dict[str, float] | None = None
    seeds: int = 1
    distributions: tuple[Distribution, ...] = ()
    without_dropout: Status | None = None
    execution: Execution = Execution()
    original: Side = Side()
    patched: Side = Side()
    tolerances: Tolerances = field(default_factory=Tolerances)
    dropout: Literal["off", "on"] = "off"
    seed: int = 0
    processes: int = 1
    ranks: tuple[Process, ...] = ()
    busy: bool = False
    messages: tuple[str, ...] = ()
    output: str = ""

    @property
    def exit_code(self) -> int:
        """0 match, 1 mismatch, 2 could not run."""
        return _EXIT_CODES[self.status]

    @property
    def ratio(self) -> float | None:
        """How many times faster a step of the patched script is."""
        before, after = self.original.ms_per_step, self.patched.ms_per_step
        return before / after if before and after else None

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dump`; None stands for what is not finite or not known."""
        flat = {f.name: getattr(self, f.name) for f in fields(self)}
        execution = asdict(flat.pop("execution"))
        original, patched = asdict(flat.pop("original")), asdict(flat.pop("patched"))
        content = {
            "version": 1,
            **flat,
            **execution,
            "ms_per_step": {
                "original": original.pop("ms_per_step"),
                "patched": patched.pop("ms_per_step"),
                "ratio": self.ratio,
            },
            "sides": {"original": original, "patched": patched},
            "first_difference": self.first_difference and asdict(self.first_difference),
            "tolerances": asdict(self.tolerances),
            "distributions": [asdict(each) for each in self.distributions],
            "ranks": [asdict(each) for each in self.ranks],
            "printed_pairs": [asdict(each) for each in self.printed_pairs],
        }
        return {name: _plain(value) for name, value in content.items()}


def _plain(value: Any) -> Any:
    """Tuples as lists, and no `Infinity`, which is no JSON."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
