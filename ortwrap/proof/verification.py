"""One run of the original, and any number of patched scripts compared with it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from ortwrap.proof.amplified import Amplified
from ortwrap.proof.causes import likely_cause
from ortwrap.proof.clues import listed, most_telling
from ortwrap.proof.execution import read_execution
from ortwrap.proof.gaps import Gap, beyond_noise, gaps, printed_gaps
from ortwrap.proof.patched import Patched
from ortwrap.proof.recording import Recording
from ortwrap.proof.summary import difference, largest, summed_up
from ortwrap.proof.trial import Setting, Trial, run_trial
from ortwrap.proof.verdict import Difference, Side, Verdict

OtherSeed = Literal["never", "difference", "always"]

_MISSING_RUNTIME = ("onnxruntime", "torch_ort", "ortwrap", "onnx")
_NOT_REPRODUCIBLE = (
    "two runs of the original with the same seed have different first losses, so nothing can be "
    "concluded: something in it is random and not seeded, or processes race for the same weights"
)
_NEVER_FINITE = (
    "no loss of the original is a finite number, so nothing can be compared: look at its data and "
    "its learning rate"
)
# Without --timeout, a patched script that takes longer than both is taken to hang.
_LEAST_SECONDS = 1800.0
_TIMES_AS_LONG = 20
_BY_BACKWARD = "no optimizer of torch stepped, so every backward counts as a step"


@dataclass(frozen=True)
class Verification:
    """Compares patched scripts with the original.

    Attributes:
        setting: what all runs have in common.
        blank: a verdict that holds what is known before anything ran.
        side: a word that sets the names of these runs apart from others in the workspace.
        ask_other_seed: when to run the original with another seed too, so that a difference
            can be judged.
    """

    setting: Setting
    blank: Verdict
    side: str = ""
    ask_other_seed: OtherSeed = "difference"
    _patched: dict[Patched, Trial] = field(default_factory=dict, init=False)

    @cached_property
    def original(self) -> Trial:
        """The original, run once."""
        return run_trial(self.setting, f"original{self.side}")

    @cached_property
    def nudged(self) -> Trial:
        """The original, its weights nudged by rounding error at every step."""
        return run_trial(self.setting, f"noise{self.side}", nudge=self.blank.tolerances.nudge)

    @cached_property
    def noise(self) -> list[tuple[Gap, ...]] | None:
        """The original against itself, nudged.

        None when it differs from itself as it is, too: it is not reproducible.
        """
        again = self.nudged
        if again.failure or len(again.recordings) != len(self.original.recordings):
            return None
        noise = self._gaps(again)
        if _first_losses_differ(noise) and not self._is_reproducible():
            return None
        return noise

    def _is_reproducible(self) -> bool:
        """Whether a first loss that a nudge moves far stays the same without one."""
        again = run_trial(self.setting, f"again{self.side}")
        return not again.failure and not _first_losses_differ(self._gaps(again))

    @cached_property
    def other_seed(self) -> dict[str, float] | None:
        """The original against itself with another seed; None where it failed."""
        other = run_trial(self.setting, f"other seed{self.side}", seed_shift=1)
        return None if other.failure else largest(self._gaps(other))

    def patched(self, twin: Patched) -> Trial:
        """A patched script, each run once."""
        trial = self._patched.get(twin)
        if trial is None:
            side = f"patched{len(self._patched) or ''}{self.side}"
            setting = replace(self.setting, timeout=self._patched_may_take())
            trial = self._patched[twin] = run_trial(setting, side, twin=twin)
        return trial

    def _patched_may_take(self) -> float:
        """Seconds after which a patched script hangs; exports and compilation take their time."""
        usual = max(_LEAST_SECONDS, _TIMES_AS_LONG * self.original.ended.seconds)
        return self.setting.timeout or usual

    def with_maxima(self, verdict: Verdict, patched: Trial) -> Verdict:
        """The verdict with the largest difference of everything that is compared."""
        return summed_up(verdict, self._gaps(patched), self.original, patched)

    def of(self, twin: Patched) -> Verdict:
        """Run a patched script and compare it."""
        verdict = self.costs_of(twin)
        return self._compared(verdict, self.patched(twin)) if verdict.status == "match" else verdict

    def costs_of(self, twin: Patched) -> Verdict:
        """Run a patched script: everything but the comparison; `match` when it can be compared."""
        if self.original.failure:
            return self._error(f"the original script {self.original.failure}", self.original.output)
        losses = [loss for each in self.original.recordings for loss in each.losses]
        if losses and not any(map(math.isfinite, losses)):
            return self._error(_NEVER_FINITE, self.original.output)
        patched = self.patched(twin)
        if patched.failure:
            return self._patched_failed(twin, patched)
        if len(self.original.recordings) != len(patched.recordings):
            return self._other_processes(twin, patched)
        return replace(self._costs(twin, patched), status="match")

    def _error(self, message: str, output: str = "") -> Verdict:
        return replace(self.blank, messages=(*self.blank.messages, message), output=output)

    def _costs(self, twin: Patched, patched: Trial) -> Verdict:
        """The verdict so far: everything but the comparison."""
        original = self.original
        return replace(
            self.blank,
            steps=min(original.steps, patched.steps),
            steps_by=original.recordings[0].steps_by,
            backwards=min(_backwards(original), _backwards(patched)),
            processes=len(original.recordings),
            execution=read_execution(patched.recordings, patched.reports, twin.untouched),
            original=_side(original),
            patched=_side(patched),
            messages=self._remarks(),
        )

    def _remarks(self) -> tuple[str, ...]:
        remarks = list(self.blank.messages)
        if self.original.steps < self.setting.steps:
            made = f"{self.original.steps} of the {self.setting.steps} steps asked for"
            code = self.original.ended.returncode
            remarks.append(
                f"the script made {made}" + (f" and ended with exit code {code}" if code else "")
            )
        if self.original.recordings[0].steps_by == "backward":
            remarks.append(_BY_BACKWARD)
        if self.original.outside:
            remarks.append(
                f"the script writes outside of its folder ({listed(self.original.outside)}): that "
                "was put back as it was after every run"
            )
        losses = self.original.recordings[0].losses
        finite = sum(map(math.isfinite, losses))
        if finite < len(losses):
            remarks.append(
                f"{len(losses) - finite} of {len(losses)} losses of the original are not finite, "
                "and what is nan on both sides counts as equal"
            )
        if not _backwards(self.original):
            remarks.append("no backward was called, so no loss was compared")
        return tuple(remarks)

    def _patched_failed(self, twin: Patched, patched: Trial) -> Verdict:
        message = f"the patched script {patched.failure}, the original did not"
        missing = [
            name for name in _MISSING_RUNTIME if f"No module named '{name}" in patched.output
        ]
        if missing and not patched.steps:
            advice = "install ortwrap[runtime] and run `ortwrap doctor --fix`"
            return self._error(f"{message}: {advice}", patched.output)
        if patched.ended.timed_out:
            # It may only be slow: exports take their time.
            slow = replace(self._costs(twin, patched), status="error", output=patched.output)
            return replace(slow, messages=(*slow.messages, f"{message}; try a longer --timeout"))
        difference = Difference(
            what="steps",
            name="",
            step=patched.steps + 1,
            original=self.original.steps,
            patched=patched.steps,
            size=self.original.steps - patched.steps,
            likely_cause=message,
        )
        return replace(
            self._costs(twin, patched),
            status="mismatch",
            first_difference=difference,
            messages=(*self.blank.messages, message),
            output=patched.output,
        )

    def _other_processes(self, twin: Patched, patched: Trial) -> Verdict:
        message = (
            f"{len(self.original.recordings)} processes of the original trained, "
            f"{len(patched.recordings)} of the patched script"
        )
        messages = (*self.blank.messages, message)
        return replace(self._costs(twin, patched), status="mismatch", messages=messages)

    def _compared(self, verdict: Verdict, patched: Trial) -> Verdict:
        found = self._gaps(patched)
        verdict = self.with_maxima(verdict, patched)
        differs = any(gap.over for rank in found for gap in rank)
        if self.ask_other_seed == "always" or (differs and self.ask_other_seed == "difference"):
            verdict = replace(verdict, other_seed=self.other_seed)
        if not differs:
            return verdict
        if self.noise is None:
            messages = (*verdict.messages, _NOT_REPRODUCIBLE)
            return replace(verdict, status="error", messages=messages)
        verdict = replace(verdict, noise=largest(self.noise))
        tolerances, amplified = self.blank.tolerances, []
        for rank, (here, there) in enumerate(zip(found, self.noise)):
            beyond = beyond_noise(here, there, tolerances.noise_factor)
            original, nudged, twin = (
                trial.recordings[rank] for trial in (self.original, self.nudged, patched)
            )
            rounding = Amplified(original, nudged, twin, tolerances).among(beyond)
            real = tuple(gap for gap in beyond if gap not in rounding)
            if real:
                cause = _amplified(real[0], there) + likely_cause(real, original, twin)
                first = difference(most_telling(real), cause, original.rank)
                return replace(
                    verdict,
                    status="mismatch",
                    first_difference=first,
                    original=_side(self.original, rank),
                    patched=_side(patched, rank),
                )
            amplified += [gap.name for gap in rounding]
        messages = (*verdict.messages, *_only_rounding(amplified))
        return replace(verdict, within_noise=True, messages=messages)

    def _gaps(self, other: Trial) -> list[tuple[Gap, ...]]:
        original = self.original
        found: list[tuple[Gap, ...]] = [
            gaps(a, b, self.blank.tolerances) for a, b in zip(original.recordings, other.recordings)
        ]
        said = zip(original.printed, other.printed)
        return [here + tuple(printed_gaps(a, b)) for here, (a, b) in zip(found, said)]


def _first_losses_differ(found: Iterable[tuple[Gap, ...]]) -> bool:
    return any(gap.over for rank in found for gap in rank if gap.kind == "loss" and gap.step == 1)


def _only_rounding(names: Sequence[str]) -> tuple[str, ...]:
    """What became of parameters whose gradients are nothing but rounding."""
    if not names:
        return ()
    return (
        f"{listed(names)}: gradients are zero but for rounding on both sides, and the optimizer "
        "makes of that what the size of the rounding happens to be",
    )


def _amplified(gap: Gap, noise: Sequence[Gap]) -> str:
    """A clause for who must judge a difference where rounding alone grows beyond tolerance."""
    same = (each for each in noise if (each.kind, each.index) == (gap.kind, gap.index))
    alone = next((each for each in same if each.over and math.isfinite(each.size)), None)
    if alone is None:
        return ""
    return (
        f"this script amplifies rounding, which alone moves it by {alone.size:.2g} here, and this "
        f"is {gap.size / alone.size:.2g} times as much; if it is no rounding: "
    )


def _backwards(trial: Trial) -> int:
    return min((len(recording.losses) for recording in trial.recordings), default=0)


def _side(trial: Trial, place: int = 0) -> Side:
    """One side's losses and cost: those of one process, and the largest memory of all."""
    if place >= len(trial.recordings):
        return Side()
    shown: Recording = trial.recordings[place]
    peaks = [r.peak_memory for r in trial.recordings if r.peak_memory is not None]
    return Side(
        ms_per_step=shown.ms_per_step,
        step_ms=tuple(1000 * seconds for seconds in shown.step_seconds),
        losses=shown.losses,
        loss_kinds=shown.loss_kinds,
        peak_memory_mb=max(peaks) / 2**20 if peaks else None,
    )
