"""How fast a script trains eagerly, compiled, with ORTModule around its model, and rewritten."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ortwrap.engine.options import Options
from ortwrap.proof.advice import advise
from ortwrap.proof.environment import busy, environment
from ortwrap.proof.execution import read_execution
from ortwrap.proof.measured import Benchmark, Measured
from ortwrap.proof.patched import CannotVerify, Patched, check_copied, patched_script
from ortwrap.proof.recorder.config import Variant
from ortwrap.proof.recording import Recording, warm_up
from ortwrap.proof.trial import OnProgress, Setting, Trial, run_trial, setting_of
from ortwrap.proof.verdict import Execution
from ortwrap.proof.workspace import workspace

EAGER = "eager"
COMPILED = "torch.compile"
MODEL_ONLY = "ORTModule(model)"
REWRITTEN = "ortwrap"
_VARIANTS: dict[str, Variant] = {
    EAGER: "",
    COMPILED: "compile",
    MODEL_ONLY: "ortmodule",
    REWRITTEN: "",
}
WAYS = tuple(_VARIANTS)
# ORTModule alone does not train what ortwrap's runtime teaches it: attention with dropout, say.
_INSTEAD: dict[Variant, Variant] = {"ortmodule": "ortmodule with operators"}


def bench(
    script: Path,
    *,
    steps: int = 30,
    repeat: int = 3,
    ways: Sequence[str] = WAYS,
    patched: Path | None = None,
    also: Sequence[Path] = (),
    args: Sequence[str] = (),
    seed: int = 0,
    timeout: float | None = None,
    options: Options | None = None,
    cwd: Path | None = None,
    launcher: Sequence[str] = (),
    on_progress: OnProgress = lambda side, made, wanted: None,
) -> Benchmark:
    """Time the steps of `script` in several ways, one after another, `repeat` times over.

    The runs are interleaved, so that a machine that gets slower does so for all. Every run is a
    fresh process in a fresh copy of the script's folder; dropout stays on, as in real training.

    Args:
        script: the script.
        steps: optimizer steps of each run; the first ones warm up and are not counted.
        repeat: how often each way is run.
        ways: those of `WAYS` to run between eager and ortwrap, which always are.
        patched: the patched script; `script` is rewritten when None.
        also: further files to rewrite, where a training step is in one that the script imports.
        args: the script's own arguments.
        seed: seed of torch, numpy and random.
        timeout: seconds that one run may take.
        options: choices for the rewrite.
        cwd: folder to start the script in; the current one when None.
        launcher: what to put before the script instead of `python`.
        on_progress: called with the name of the run, the steps made and the steps wanted.

    Raises:
        CannotVerify: nothing can be rewritten, or the script fails by itself.
        ValueError: fewer steps than leave any to measure, or no repetition.
    """
    if steps < 2 or repeat < 1:
        raise ValueError("bench needs at least 2 steps and 1 repetition")
    check_copied(also, script, cwd or Path.cwd())
    twin = patched_script(script, patched, options or Options(), also)
    warning = busy()
    with workspace() as folder:
        setting = setting_of(
            script,
            twin,
            folder,
            args=args,
            cwd=cwd,
            launcher=launcher,
            also=also,
            steps=steps,
            seed=seed,
            keep_dropout=True,
            timeout=timeout,
            only_time=True,
            on_progress=on_progress,
        )
        wanted = [way for way in WAYS if way in ways or way in (EAGER, REWRITTEN)]
        run = _interleaved(setting, twin, repeat, wanted)
    measured = tuple(_measured(way, twin) for way in run)
    eager = measured[0].ms_per_step
    measured = tuple(_against(each, measured[0]) for each in measured)
    doubt = " Repeat it on an idle machine before you believe it." if warning else ""
    return Benchmark(
        script=str(script),
        steps=steps,
        repeat=repeat,
        measured=measured,
        advice=f"{advise(measured)}{doubt}" if eager else "",
        environment=environment(),
        warning=warning,
    )


@dataclass
class _Way:
    """One way to run the script, and its runs so far.

    Attributes:
        name: one of `WAYS`.
        variant: how the models are called.
        trials: its runs.
        failure: why one of them failed; then there are no more.
        failed_as_it_is: why another variant had to be run instead.
    """

    name: str
    variant: Variant
    trials: list[Trial] = field(default_factory=list)
    failure: str | None = None
    failed_as_it_is: str | None = None

    def run(self, setting: Setting, side: str, twin: Patched) -> Trial:
        """Once more; what fails as it is, and can be helped, is run with that help from then on."""
        rewritten = twin if self.name == REWRITTEN else None
        trial = run_trial(setting, side, twin=rewritten, variant=self.variant)
        if trial.failure and self.variant in _INSTEAD and not self.trials:
            helped = _INSTEAD[self.variant]
            again = run_trial(setting, f"{side}, helped", twin=rewritten, variant=helped)
            if not again.failure:
                self.variant, self.failed_as_it_is, trial = helped, trial.failure, again
        self.trials.append(trial)
        self.failure = trial.failure
        return trial


def _interleaved(
    setting: Setting, twin: Patched, repeat: int, names: Sequence[str]
) -> tuple[_Way, ...]:
    ways = tuple(_Way(name, _VARIANTS[name]) for name in names)
    for round_number in range(1, repeat + 1):
        for way in ways:
            if way.failure:
                continue  # it would fail again
            trial = way.run(setting, f"{way.name}, run {round_number} of {repeat}", twin)
            if way.name == EAGER and trial.failure:
                message = f"the original script {trial.failure}"
                raise CannotVerify("\n".join(filter(None, (message, trial.output))))
    return ways


def _measured(way: _Way, twin: Patched) -> Measured:
    name, trials, failure = way.name, way.trials, way.failure
    recordings = [trial.recordings[0] for trial in trials if trial.recordings]
    if failure or not recordings:
        return Measured(name, failure=failure or "recorded nothing")
    steps = [1000 * s for r in recordings for s in r.step_seconds[warm_up(r.steps) :]]
    peaks = [r.peak_memory for r in recordings if r.peak_memory is not None]
    last = trials[-1]
    execution = read_execution(last.recordings, last.reports, twin.untouched)
    note = _note(way, recordings, execution)
    return Measured(
        name,
        ms_per_step=statistics.median(steps),
        ms_of_runs=tuple(r.ms_per_step or 0.0 for r in recordings),
        quartiles=_quartiles(steps),
        warm_up_seconds=statistics.median(_warm_up_cost(r) for r in recordings),
        peak_memory_mb=statistics.median(peaks) / 2**20 if peaks else None,
        ran_on=execution.ran_on,
        label_density=execution.label_density,
        label_sparsity=execution.label_sparsity,
        note=note,
        step_ms=tuple(steps),
    )


def _note(way: _Way, recordings: Sequence[Recording], execution: Execution) -> str:
    """What a row of figures must not be read without."""
    name = way.name
    if way.failed_as_it_is:
        return (
            "measured with the operators that ortwrap's runtime adds to it; as it is, it "
            f"{way.failed_as_it_is}"
        )
    if name == REWRITTEN:
        return "; ".join(execution.reasons)
    if name in (MODEL_ONLY, COMPILED) and any(r.steps_by == "backward" for r in recordings):
        return "it ran as written: a model is found by its optimizer, and the script makes none"
    if name == MODEL_ONLY and execution.ran_on != "ort":
        return "it ran eagerly: ORTModule fell back, or the script does not call its model itself"
    if name == COMPILED and not all(each.compiled_frames for each in recordings):
        return "nothing was compiled: the script does not call its model itself"
    return ""


def _quartiles(steps: Sequence[float]) -> tuple[float, float]:
    if len(steps) < 2:
        return steps[0], steps[0]
    low, _, high = statistics.quantiles(steps, n=4, method="inclusive")
    return low, high


def _warm_up_cost(recording: Recording) -> float:
    """Seconds that the first steps took more than later ones: exports, compilation, caches."""
    first = warm_up(recording.steps)
    usual = statistics.median(recording.step_seconds[first:])
    return max(0.0, sum(recording.step_seconds[:first]) - first * usual)


def _against(measured: Measured, eager: Measured) -> Measured:
    """With its ratio to eager, and the step after which its warm-up is paid back."""
    if measured.ms_per_step is None or eager.ms_per_step is None:
        return measured
    saved = eager.ms_per_step - measured.ms_per_step
    extra = 1000 * ((measured.warm_up_seconds or 0.0) - (eager.warm_up_seconds or 0.0))
    return replace(
        measured,
        ratio=eager.ms_per_step / measured.ms_per_step,
        break_even_steps=round(max(0.0, extra) / saved) if saved > 0 else None,
    )
