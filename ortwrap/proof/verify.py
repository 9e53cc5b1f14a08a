"""Run a script and its patched twin, and say whether they train the same."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ortwrap.engine.options import Options
from ortwrap.proof.causes import likely_cause
from ortwrap.proof.environment import busy
from ortwrap.proof.execution import read_execution
from ortwrap.proof.gaps import Gap, beyond_noise, gaps
from ortwrap.proof.patched import CannotVerify, Patched, patched_script
from ortwrap.proof.recording import Recording
from ortwrap.proof.tolerance import Tolerances
from ortwrap.proof.trial import OnProgress, Setting, Trial, default_launcher, run_trial
from ortwrap.proof.verdict import Difference, Side, Verdict

_MISSING_RUNTIME = ("onnxruntime", "torch_ort", "ortwrap", "onnx")


def verify(
    script: Path,
    *,
    steps: int = 20,
    patched: Path | None = None,
    args: Sequence[str] = (),
    keep_dropout: bool = False,
    seed: int = 0,
    timeout: float | None = None,
    tolerances: Tolerances | None = None,
    options: Options | None = None,
    cwd: Path | None = None,
    launcher: Sequence[str] = (),
    on_progress: OnProgress = lambda side, made, wanted: None,
) -> Verdict:
    """Run `script` and its patched twin for `steps` optimizer steps, and compare them.

    Both run in separate processes and in fresh copies of their folder, with the same seeds
    and without dropout. A difference over the tolerance is measured against what the original
    differs from itself once its parameters are nudged by rounding error.

    Args:
        script: the script to verify.
        steps: optimizer steps after which both are stopped.
        patched: the patched script; `script` is rewritten when None.
        args: the script's own arguments.
        keep_dropout: leave dropout on, though ONNX Runtime draws other masks.
        seed: seed of torch, numpy and random on both sides.
        timeout: seconds that one run may take.
        tolerances: what counts as the same.
        options: choices for the rewrite.
        cwd: folder to start the script in; the current one when None.
        launcher: what to put before the script instead of `python`, say
            `torchrun --nproc_per_node 2`.
        on_progress: called with the side (`original`, `patched`, `noise`), the steps
            made and the steps wanted.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    tolerances = tolerances or Tolerances()
    warning = busy()
    blank = Verdict(
        status="error",
        messages=(warning,) if warning else (),
        script=str(script),
        tolerances=tolerances,
        dropout="on" if keep_dropout else "off",
        seed=seed,
    )
    try:
        twin = patched_script(script, patched, options or Options())
    except CannotVerify as error:
        return replace(blank, messages=(*blank.messages, str(error)))
    with tempfile.TemporaryDirectory(prefix="ortwrap-", ignore_cleanup_errors=True) as workspace:
        setting = Setting(
            script=script.resolve(),
            args=tuple(args),
            cwd=(cwd or Path.cwd()).resolve(),
            steps=steps,
            seed=seed,
            keep_dropout=keep_dropout,
            transparent=twin.classes,
            launcher=tuple(launcher) or default_launcher(),
            timeout=timeout,
            workspace=Path(workspace),
            on_progress=on_progress,
        )
        return _Verification(setting, twin, blank).verdict()


@dataclass(frozen=True)
class _Verification:
    setting: Setting
    twin: Patched
    blank: Verdict

    def verdict(self) -> Verdict:
        original = run_trial(self.setting, "original")
        if original.failure:
            return self._error(f"the original script {original.failure}", original.output)
        patched = run_trial(self.setting, "patched", source=self.twin.source)
        if patched.failure:
            return self._patched_failed(original, patched)
        if len(original.recordings) != len(patched.recordings):
            return self._other_processes(original, patched)
        return self._compared(original, patched)

    def _error(self, message: str, output: str = "") -> Verdict:
        return replace(self.blank, messages=(*self.blank.messages, message), output=output)

    def _costs(self, original: Trial, patched: Trial) -> Verdict:
        """The verdict so far: everything but the comparison."""
        return replace(
            self.blank,
            steps=min(original.steps, patched.steps),
            backwards=min(_backwards(original), _backwards(patched)),
            processes=len(original.recordings),
            execution=read_execution(patched.recordings, patched.reports, self.twin.untouched),
            original=_side(original),
            patched=_side(patched),
            messages=self._remarks(original),
        )

    def _remarks(self, original: Trial) -> tuple[str, ...]:
        remarks = list(self.blank.messages)
        if original.steps < self.setting.steps:
            remarks.append(
                f"the script made {original.steps} of the {self.setting.steps} steps asked for"
            )
        if not _backwards(original):
            remarks.append("no backward was called, so no loss was compared")
        return tuple(remarks)

    def _patched_failed(self, original: Trial, patched: Trial) -> Verdict:
        message = f"the patched script {patched.failure}, the original did not"
        missing = [
            name for name in _MISSING_RUNTIME if f"No module named '{name}" in patched.output
        ]
        if missing and not patched.steps:
            advice = "install ortwrap[runtime] and run `ortwrap doctor --fix`"
            return self._error(f"{message}: {advice}", patched.output)
        return replace(
            self._costs(original, patched),
            status="mismatch",
            first_difference=Difference(
                what="steps",
                name="",
                step=patched.steps + 1,
                original=original.steps,
                patched=patched.steps,
                size=original.steps - patched.steps,
                likely_cause=message,
            ),
            messages=(*self.blank.messages, message),
            output=patched.output,
        )

    def _other_processes(self, original: Trial, patched: Trial) -> Verdict:
        message = (
            f"{len(original.recordings)} processes of the original trained, "
            f"{len(patched.recordings)} of the patched script"
        )
        messages = (*self.blank.messages, message)
        return replace(self._costs(original, patched), status="mismatch", messages=messages)

    def _compared(self, original: Trial, patched: Trial) -> Verdict:
        found = self._gaps(original, patched)
        verdict = _with_maxima(self._costs(original, patched), found)
        if not any(gap.over for rank in found for gap in rank):
            return replace(verdict, status="match")
        noise = self._noise(original)
        if noise is None:
            return replace(
                verdict,
                messages=(
                    *verdict.messages,
                    "two runs of the original with the same seed have different first losses, so "
                    "nothing can be concluded: something in it is random and not seeded",
                ),
            )
        verdict = replace(verdict, noise=_largest(noise))
        factor = self.blank.tolerances.noise_factor
        for rank, (here, there) in enumerate(zip(found, noise)):
            real = beyond_noise(here, there, factor)
            if real:
                pair = original.recordings[rank], patched.recordings[rank]
                first = _difference(real[0], likely_cause(real, *pair), pair[0].rank)
                return replace(verdict, status="mismatch", first_difference=first)
        return replace(verdict, status="match", within_noise=True)

    def _gaps(self, original: Trial, other: Trial) -> list[tuple[Gap, ...]]:
        return [
            gaps(a, b, self.blank.tolerances) for a, b in zip(original.recordings, other.recordings)
        ]

    def _noise(self, original: Trial) -> list[tuple[Gap, ...]] | None:
        """The original against itself, nudged at every step.

        None when it differs by more than the nudge from the first loss on: it is not
        reproducible.
        """
        again = run_trial(self.setting, "noise", nudge=self.blank.tolerances.nudge)
        noise = self._gaps(original, again)
        first_losses = [g for rank in noise for g in rank if g.kind == "loss" and g.step == 1]
        if again.failure or any(gap.over for gap in first_losses):
            return None
        return noise


def _backwards(trial: Trial) -> int:
    return min((len(recording.losses) for recording in trial.recordings), default=0)


def _side(trial: Trial) -> Side:
    """The cost of one side: its first process, and the largest memory of all."""
    if not trial.recordings:
        return Side()
    first: Recording = trial.recordings[0]
    peaks = [r.peak_memory for r in trial.recordings if r.peak_memory is not None]
    return Side(
        ms_per_step=first.ms_per_step,
        step_ms=tuple(1000 * seconds for seconds in first.step_seconds),
        losses=first.losses,
        peak_memory_mb=max(peaks) / 2**20 if peaks else None,
    )


def _maximum(found: Iterable[tuple[Gap, ...]], kind: str) -> float | None:
    sizes = [gap.size for rank in found for gap in rank if gap.kind == kind]
    return max(sizes) if sizes else None


def _with_maxima(verdict: Verdict, found: Sequence[tuple[Gap, ...]]) -> Verdict:
    return replace(
        verdict,
        max_loss_diff=_maximum(found, "loss"),
        max_param_diff=_maximum(found, "parameter"),
        max_buffer_diff=_maximum(found, "buffer"),
        max_grad_norm_diff=_maximum(found, "gradient"),
    )


def _largest(noise: Sequence[tuple[Gap, ...]]) -> dict[str, float]:
    kinds = ("loss", "parameter", "buffer", "gradient")
    largest = {kind: _maximum(noise, kind) for kind in kinds}
    return {
        kind: size for kind, size in largest.items() if size is not None and math.isfinite(size)
    }


def _difference(gap: Gap, cause: str, rank: int) -> Difference:
    return Difference(
        what=gap.kind,
        name=gap.name,
        step=gap.step,
        original=gap.original,
        patched=gap.patched,
        size=gap.size,
        likely_cause=cause,
        rank=rank,
    )
