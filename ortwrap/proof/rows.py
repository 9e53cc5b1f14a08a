"""What tables show of a verdict: rows of text, for a terminal and for a report."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ortwrap.proof.figures import count, megabytes, milliseconds, number, short
from ortwrap.proof.sentences import (
    evidence,
    largest_difference,
    names_a_process,
    printed_lines,
    values,
    what_differs,
)
from ortwrap.proof.verdict import Verdict

_BACKENDS = {"ort": "ONNX Runtime", "eager": "eager PyTorch", "mixed": "both", None: "unknown"}


def tiles(verdict: Verdict) -> list[tuple[str, str]]:
    """The few figures that a reader looks for first."""
    if not verdict.steps:
        return []
    ran = verdict.execution
    shown = [
        ("steps compared", str(verdict.steps)),
        ("ran on", _BACKENDS[ran.ran_on]),
        ("loss in the graph", {True: "yes", False: "no", None: "unknown"}[ran.loss_in_graph]),
    ]
    largest = largest_difference(verdict)
    if largest is not None:
        shown.insert(1, ("largest difference", number(largest)))
    if ran.label_sparsity is not None:
        shown.append(("label sparsity", ran.label_sparsity))
    if ran.label_density is not None:
        shown.append(("valid labels", f"{100 * ran.label_density:.3g} %"))
    if verdict.ratio and not verdict.busy:
        shown.append(("ratio to eager", f"{verdict.ratio:.2f}"))
    return shown


def first_difference_rows(verdict: Verdict) -> list[tuple[str, str]]:
    """The first difference, point by point; nothing where there is none."""
    first = verdict.first_difference
    if first is None:
        return []
    original, patched = values(first)
    rows = [
        ("what", what_differs(first)),
        ("when", f"step {first.step}" if first.step else "at the end"),
        ("original", original),
        ("patched", patched),
        *([] if first.what == "mode" else [("difference", number(first.size))]),
        *printed_lines(verdict),
        ("likely cause", first.likely_cause or "unknown"),
    ]
    if names_a_process(verdict):
        rows.insert(2, ("process", str(first.rank)))
    return rows


def distribution_rows(verdict: Verdict) -> list[tuple[str, str, str, str]]:
    """With dropout on: a quantity, its mean on both sides, and the chance of such a distance."""
    return [
        (each.name, _spread(each.original), _spread(each.patched), f"{100 * each.p_value:.3g} %")
        for each in verdict.distributions
    ]


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.5g} \u00b1 {statistics.stdev(values):.2g}"


@dataclass(frozen=True)
class WrapperRow:
    """One kind of call of one wrapper, for people.

    Attributes:
        name: of the wrapper.
        arguments: what is particular to them.
        why: why calls ran eagerly, one line each.
        calls: how many there were.
        on_ort: how many of them ONNX Runtime ran.
        export: seconds that the export took.
    """

    name: str
    arguments: str
    why: tuple[str, ...]
    calls: str
    on_ort: str
    export: str


def wrapper_rows(verdict: Verdict) -> list[WrapperRow]:
    """What ran where, signature by signature."""
    return [
        WrapperRow(
            each.wrapper,
            each.signature,
            tuple(
                f"{count(n, 'call')} eagerly: {why}{f' ({each.place})' if each.place else ''}"
                for why, n in each.ran_eagerly
            ),
            str(each.calls),
            str(each.calls - sum(n for _, n in each.ran_eagerly)),
            f"{each.export_seconds:.1f} s" if each.export_seconds is not None else "",
        )
        for each in verdict.execution.wrappers
    ]


# What the original differs from itself, where something is over its tolerance.
ROUNDING_ALONE = "rounding alone"
WHAT_ROUNDING_IS = "the original against itself, its weights moved by their last digits"


def comparison_rows(verdict: Verdict) -> list[tuple[str, str, str]]:
    """What was compared, its largest difference, and that of the nudged original (or empty)."""
    rows = [
        (f"loss of {count(verdict.backwards, 'backward')}", verdict.max_loss_diff, "loss"),
        ("norm of each gradient", verdict.max_grad_norm_diff, "gradient"),
        (
            f"parameters after {count(verdict.steps, 'step')}",
            verdict.max_param_diff,
            "parameter",
        ),
        ("buffers", verdict.max_buffer_diff, "buffer"),
        ("optimizer state", verdict.max_state_diff, "optimizer state"),
        ("learning rates and the like", verdict.max_setting_diff, "setting"),
        (
            f"{count(verdict.printed, 'number')} printed as a loss or score",
            verdict.max_printed_diff,
            "printed",
        ),
    ]  # fmt: skip
    noise = verdict.noise
    return [
        (label, number(size), "" if noise is None else number(noise.get(kind)))
        for label, size, kind in rows
        if size is not None
    ]


PROCESS_HEADINGS = ("process", "backwards", "on ORT", "loss", "gradient", "weights", "printed")


def process_rows(verdict: Verdict) -> list[tuple[str, ...]]:
    """Each of several processes under `PROCESS_HEADINGS`, with its largest differences."""
    ranked = len({each.rank for each in verdict.ranks}) == len(verdict.ranks)
    return [
        (
            f"rank {each.rank}" if ranked else f"process {place}",
            str(each.backwards),
            str(each.on_ort),
            *(
                _in_a_narrow_column(size)
                for size in (each.max_loss_diff, each.max_grad_norm_diff, each.max_param_diff)
            ),
            _in_a_narrow_column(each.max_printed_diff) if each.printed else "nothing",
        )
        for place, each in enumerate(verdict.ranks, start=1)
    ]


def _in_a_narrow_column(size: float | None) -> str:
    return "nothing" if size is None else short(size)


def execution_rows(verdict: Verdict) -> list[tuple[str, str]]:
    """What ran where, at what cost; an empty label continues the row above."""
    ran, before, after = verdict.execution, verdict.original, verdict.patched
    ran_on, *further = evidence(verdict)
    rows = [ran_on, *(("", reason) for reason in ran.reasons)]
    if ran.compared_calls:
        calls = count(ran.compared_calls, "call")
        rows.append(("", f"but for {calls} run eagerly to compare new graphs with"))
    rows += further
    if ran.label_density is not None:
        rows.append(("label_density", f"{100 * ran.label_density:.3g} %"))
    if ran.exports:
        rows.append(("exports", f"{ran.exports} in {ran.export_seconds or 0:.1f} s"))
    rows.append(("step time, original", milliseconds(before.ms_per_step)))
    rows.append(("step time, patched", milliseconds(after.ms_per_step)))
    if verdict.ratio and not verdict.busy:
        rows.append(("original / patched", f"{verdict.ratio:.2f}"))
    rows.append(("peak memory, original", megabytes(before.peak_memory_mb)))
    rows.append(("peak memory, patched", megabytes(after.peak_memory_mb)))
    rows += [("note", message) for message in verdict.messages]
    return rows
