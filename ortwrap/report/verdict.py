"""A verdict of `ortwrap verify` as a table for people, keyed with the words of its JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ortwrap.proof.verdict import Difference, Verdict

Row = tuple[str, str]

_MEANING = {
    "match": "the patched script trains as the original does",
    "mismatch": "the patched script does not train as the original does",
    "error": "the two could not be compared",
}


def headline(verdict: Verdict) -> str:
    """`train.py: match: ...`; what did not run on ONNX Runtime says so here already."""
    line = f"{verdict.script}: {verdict.status}: {_MEANING[verdict.status]}"
    ran_on = verdict.execution.ran_on
    if verdict.status == "match" and ran_on == "eager":
        line += ", but it ran eagerly and not on ONNX Runtime"
    elif verdict.status == "match" and ran_on == "mixed":
        line += ", but a part of it ran eagerly"
    return line


def table(verdict: Verdict) -> str:
    """The facts, keys aligned at their colon."""
    rows = list(_rows(verdict))
    width = max((len(key) for key, _ in rows), default=0) + 2
    return "".join(f"{key:>{width}}: {value}\n" for key, value in rows)


def notes(verdict: Verdict) -> Iterator[str]:
    """Where the runs part, why something ran eagerly, and what else to know."""
    if verdict.first_difference is not None:
        yield f"first difference: {_difference(verdict.first_difference)}"
    if verdict.within_noise:
        yield "differences over the tolerance are within what rounding makes of the original itself"
    for reason in verdict.execution.reasons:
        yield f"ran eagerly: {reason}"
    yield from verdict.messages
    if verdict.output:
        yield f"the end of its output:\n{verdict.output.rstrip()}"


def _rows(verdict: Verdict) -> Iterator[Row]:
    execution = verdict.execution
    yield "status", verdict.status
    yield "steps", str(verdict.steps)
    for key in ("max_loss_diff", "max_grad_norm_diff", "max_param_diff", "max_buffer_diff"):
        value = getattr(verdict, key)
        if value is not None:
            yield key, f"{value:.1e}" if value else "0"
    yield "ran_on", _known(execution.ran_on)
    yield "loss_in_graph", _known(execution.loss_in_graph)
    yield "label_sparsity", _known(execution.label_sparsity)
    if execution.label_density is not None:
        yield "label_density", f"{execution.label_density:.1%} of the labels count"
    if execution.exports:
        seconds = execution.export_seconds
        took = f" in {seconds:.1f} s" if seconds is not None else ""
        yield "exports", f"{execution.exports}{took}"
    yield "dropout", f"{verdict.dropout} on both sides"
    yield from _costs(verdict)


def _costs(verdict: Verdict) -> Iterator[Row]:
    before, after = verdict.original, verdict.patched
    if before.ms_per_step is not None and after.ms_per_step is not None:
        ratio = f"ratio {verdict.ratio:.2f}" if verdict.ratio else "no ratio"
        yield "ms_per_step", f"{before.ms_per_step:.1f} -> {after.ms_per_step:.1f} ({ratio})"
    if before.peak_memory_mb is not None and after.peak_memory_mb is not None:
        yield "peak_memory_mb", f"{before.peak_memory_mb:.0f} -> {after.peak_memory_mb:.0f}"


def _difference(first: Difference) -> str:
    what = f"{first.what} {first.name}" if first.name else first.what
    where = f" in step {first.step}" if first.step is not None else " at the end"
    values = ""
    if first.original is not None and first.patched is not None:
        values = f": {first.original:.8g} became {first.patched:.8g}, {first.size:.1e} apart"
    cause = f"; {first.likely_cause}" if first.likely_cause else ""
    return f"{what}{where}{values}{cause}"


def _known(value: str | bool | None) -> str:
    """As JSON spells it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else value
