"""All that was compared, in a few figures: the largest of each kind, process by process."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ortwrap.proof.gaps import KINDS, Gap
from ortwrap.proof.recording import Recording
from ortwrap.proof.trial import Trial
from ortwrap.proof.verdict import Difference, PrintedPair, Process, Verdict

_PRINTED_SHOWN = 8


def summed_up(
    verdict: Verdict, found: Sequence[tuple[Gap, ...]], original: Trial, patched: Trial
) -> Verdict:
    """The verdict with the figures of `found`, the gaps of each process."""
    unequal = [g.step for process in found for g in process if g.step is not None and g.size > 0]
    return replace(
        verdict,
        max_loss_diff=_maximum(found, "loss"),
        max_param_diff=_maximum(found, "parameter"),
        max_buffer_diff=_maximum(found, "buffer"),
        max_grad_norm_diff=_maximum(found, "gradient"),
        max_state_diff=_maximum(found, "optimizer state"),
        max_setting_diff=_maximum(found, "setting"),
        max_printed_diff=_maximum(found, "printed"),
        printed=sum(gap.kind == "printed" for process in found for gap in process),
        printed_pairs=_printed_pairs(found, original, patched),
        first_unequal_step=min(unequal, default=None),
        ranks=_processes(found, original, patched) if len(found) > 1 else (),
    )


def largest(found: Sequence[tuple[Gap, ...]]) -> dict[str, float]:
    """The largest finite difference of each kind."""
    sizes = {kind: _maximum(found, kind) for kind in KINDS}
    return {kind: size for kind, size in sizes.items() if size is not None and math.isfinite(size)}


def difference(gap: Gap, cause: str, rank: int) -> Difference:
    """A gap of one process as the verdict tells it."""
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


def _maximum(found: Iterable[tuple[Gap, ...]], kind: str) -> float | None:
    sizes = [gap.size for process in found for gap in process if gap.kind == kind]
    return max(sizes) if sizes else None


def _processes(
    found: Sequence[tuple[Gap, ...]], original: Trial, patched: Trial
) -> tuple[Process, ...]:
    return tuple(map(_process, found, original.recordings, patched.recordings))


def _process(found: tuple[Gap, ...], original: Recording, patched: Recording) -> Process:
    return Process(
        rank=original.rank,
        backwards=min(len(original.losses), len(patched.losses)),
        on_ort=sum(patched.loss_on_ort),
        max_loss_diff=_maximum([found], "loss"),
        max_grad_norm_diff=_maximum([found], "gradient"),
        max_param_diff=_maximum([found], "parameter"),
        printed=sum(gap.kind == "printed" for gap in found),
        max_printed_diff=_maximum([found], "printed"),
    )


def _printed_pairs(
    found: Sequence[tuple[Gap, ...]], original: Trial, patched: Trial
) -> tuple[PrintedPair, ...]:
    """The last that both sides printed, and the first that differs."""
    pairs = [
        PrintedPair(x.label, x.value, y.value, x.line, y.line, gap.over, recording.rank)
        for gaps, recording, here, there in zip(
            found, original.recordings, original.printed, patched.printed
        )
        for gap, x, y in zip((gap for gap in gaps if gap.kind == "printed"), here, there)
    ]
    before, last = pairs[:-_PRINTED_SHOWN], pairs[-_PRINTED_SHOWN:]
    return (*[pair for pair in before if pair.differs][:1], *last)
