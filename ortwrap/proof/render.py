"""A verdict for people: a table, and one line that says it all."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ortwrap.proof.answers import answers
from ortwrap.proof.figures import short
from ortwrap.proof.measured import Benchmark, Measured
from ortwrap.proof.verdict import Verdict

_BACKENDS = {"ort": "ONNX Runtime", "eager": "eager PyTorch", "mixed": "both", None: "unknown"}
_STYLES = {"match": "bold green", "mismatch": "bold red", "error": "bold yellow"}


def table(verdict: Verdict) -> RenderableType:
    """Everything compared and measured, without the verdict line."""
    parts: list[RenderableType] = []
    if verdict.steps:
        parts.append(_comparison(verdict))
        if verdict.ranks:
            parts.append(_processes(verdict))
        if verdict.distributions:
            parts.append(_over_seeds(verdict))
        parts.append(_execution(verdict))
        if verdict.first_difference or verdict.other_seed or verdict.distributions:
            parts += [escape(f"{question} {answer}") for question, answer in answers(verdict)]
    if verdict.output:
        title = "the end of what it printed"
        # The console leaves long lines whole; a frame would cut them off.
        output = Text(verdict.output, overflow="fold", no_wrap=False)
        parts.append(Panel(output, title=title, title_align="left"))
    return Group(*parts)


def line(verdict: Verdict) -> str:
    """The verdict in one styled line (rich markup)."""
    style = _STYLES[verdict.status]
    _, _, rest = plain_line(verdict).partition(":")
    return f"[{style}]{verdict.status}[/]:{escape(rest)}"


def plain_line(verdict: Verdict) -> str:
    """The verdict in one line without colours, `match: 20 steps; ran_on: ort; ...`."""
    if verdict.status == "error":
        return f"error: {verdict.messages[-1] if verdict.messages else 'could not run'}"
    if verdict.status == "mismatch":
        return f"mismatch: {_first_difference(verdict)}"
    clauses = [
        _count(verdict.steps, "step"),
        *(f"{label}: {value}" for label, value in _evidence(verdict)),
        f"largest difference {_number(_largest_difference(verdict))}{_noise(verdict)}",
    ]
    ratio = _speed(verdict)
    if ratio:
        clauses.append(f"a step takes {ratio}")
    return f"match: {'; '.join(clauses)}"


def in_words(verdict: Verdict) -> str:
    """The verdict for whoever opens a report: what it means, then what it cost."""
    if verdict.status != "match":
        return plain_line(verdict).partition(": ")[2]
    ran = verdict.execution
    same = (
        f"Both scripts train the same: after {_count(verdict.steps, 'step')} no loss, weight or "
        f"buffer is further apart than {_number(_largest_difference(verdict))}{_noise(verdict)}."
    )
    if ran.ran_on == "ort":
        graph = "with" if ran.loss_in_graph else "without"
        where = f"The patched one ran on ONNX Runtime, {graph} its loss inside the graph"
    elif ran.ran_on == "mixed":
        where = f"Part of the patched one ran eagerly ({'; '.join(ran.reasons)})"
    else:
        where = f"The patched one ran eagerly, though ({'; '.join(ran.reasons)})"
    ratio = _speed(verdict)
    return f"{same} {where}{f'; a step took {ratio}' if ratio else ''}."


def _evidence(verdict: Verdict) -> list[tuple[str, str]]:
    """What ran, in the words of the JSON, so that both can be searched for the same."""
    ran = verdict.execution
    in_graph = {True: "true", False: "false", None: "null"}[ran.loss_in_graph]
    return [
        ("ran_on", str(ran.ran_on)),
        ("loss_in_graph", in_graph),
        ("label_sparsity", ran.label_sparsity or "null"),
    ]


BENCH_HEADINGS = ("ms/step", "quartiles", "ratio", "warm-up s", "pays after", "peak MB")


def bench_table(benchmark: Benchmark) -> RenderableType:
    """The four ways to run the script, beside one another."""
    title = f"{_count(benchmark.repeat, 'interleaved run')} of {benchmark.steps} steps each"
    # Seven columns on a terminal of 80 characters leave no room for lines between them.
    shown = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    shown.add_column("", no_wrap=True)
    for heading in BENCH_HEADINGS:
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.caption = (
        "ratio: how many times as fast as eager; pays after: steps that earn the warm-up"
    )
    for measured in benchmark.measured:
        shown.add_row(measured.name, *bench_cells(measured))
    notes = [
        f"{measured.name}: {measured.failure or measured.note}"
        for measured in benchmark.measured
        if measured.failure or measured.note
    ]
    density = benchmark.measured[-1].label_density
    if density is not None:
        sparsity = benchmark.measured[-1].label_sparsity or "off"
        notes.append(f"{100 * density:.3g} % of the labels are valid; label sparsity {sparsity}")
    if benchmark.warning:
        notes.append(benchmark.warning)
    return Group(shown, *map(escape, notes))


def bench_cells(measured: Measured) -> tuple[str, ...]:
    """One way's figures under `BENCH_HEADINGS`."""
    if measured.ms_per_step is None or measured.quartiles is None:
        return ("failed", *([""] * (len(BENCH_HEADINGS) - 1)))
    low, high = measured.quartiles
    steps = measured.break_even_steps
    return (
        short(measured.ms_per_step),
        f"{short(low)} to {short(high)}",
        f"{measured.ratio:.2f}" if measured.ratio else "",
        f"{measured.warm_up_seconds or 0.0:.1f}",
        "" if measured.ratio == 1 else "never" if steps is None else str(steps),
        f"{measured.peak_memory_mb:.0f}" if measured.peak_memory_mb else "",
    )


def tiles(verdict: Verdict) -> list[tuple[str, str]]:
    """The few figures that a reader looks for first."""
    if not verdict.steps:
        return []
    ran = verdict.execution
    shown = [
        ("steps compared", str(verdict.steps)),
        ("largest difference", _number(_largest_difference(verdict))),
        ("ran on", _BACKENDS[ran.ran_on]),
        ("loss in the graph", {True: "yes", False: "no", None: "unknown"}[ran.loss_in_graph]),
    ]
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
    rows = [
        ("what", f"{first.what} {first.name}".strip()),
        ("when", f"step {first.step}" if first.step else "at the end"),
        ("original", _number(first.original)),
        ("patched", _number(first.patched)),
        ("difference", _number(first.size)),
        *_printed_lines(verdict),
        ("likely cause", first.likely_cause or "unknown"),
    ]
    if verdict.processes > 1:
        rows.insert(2, ("process", str(first.rank)))
    return rows


def _printed_lines(verdict: Verdict) -> list[tuple[str, str]]:
    """The lines in which a printed number is the first difference."""
    if verdict.first_difference is None or verdict.first_difference.what != "printed":
        return []
    differing = (pair for pair in verdict.printed_pairs if pair.differs)
    return [
        row
        for pair in list(differing)[:1]
        for row in (("original printed", pair.line), ("patched printed", pair.patched_line))
    ]


def distribution_rows(verdict: Verdict) -> list[tuple[str, str, str, str]]:
    """With dropout on: a quantity, its mean on both sides, and the chance of such a distance."""
    return [
        (each.name, _spread(each.original), _spread(each.patched), f"{100 * each.p_value:.2g} %")
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
                f"{_count(n, 'call')} eagerly: {why}{f' ({each.place})' if each.place else ''}"
                for why, n in each.ran_eagerly
            ),
            str(each.calls),
            str(each.calls - sum(n for _, n in each.ran_eagerly)),
            f"{each.export_seconds:.1f} s" if each.export_seconds is not None else "",
        )
        for each in verdict.execution.wrappers
    ]


def comparison_rows(verdict: Verdict) -> list[tuple[str, str, str]]:
    """What was compared, its largest difference, and that of the nudged original (or empty)."""
    rows = [
        (f"loss of {_count(verdict.backwards, 'backward')}", verdict.max_loss_diff, "loss"),
        ("norm of each gradient", verdict.max_grad_norm_diff, "gradient"),
        (
            f"parameters after {_count(verdict.steps, 'step')}",
            verdict.max_param_diff,
            "parameter",
        ),
        ("buffers", verdict.max_buffer_diff, "buffer"),
        ("optimizer state", verdict.max_state_diff, "optimizer state"),
        ("learning rates and the like", verdict.max_setting_diff, "setting"),
        (
            f"{_count(verdict.printed, 'number')} printed as a loss or score",
            verdict.max_printed_diff,
            "printed",
        ),
    ]  # fmt: skip
    noise = verdict.noise
    return [
        (label, _number(size), "" if noise is None else _number(noise.get(kind)))
        for label, size, kind in rows
        if size is not None
    ]


PROCESS_HEADINGS = ("process", "backwards", "on ORT", "loss", "gradient", "parameters", "printed")


def process_rows(verdict: Verdict) -> list[tuple[str, ...]]:
    """Each of several processes under `PROCESS_HEADINGS`, with its largest differences."""
    ranked = len({each.rank for each in verdict.ranks}) == len(verdict.ranks)
    return [
        (
            f"rank {each.rank}" if ranked else f"process {number}",
            str(each.backwards),
            str(each.on_ort),
            *(
                _number(size)
                for size in (each.max_loss_diff, each.max_grad_norm_diff, each.max_param_diff)
            ),
            _number(each.max_printed_diff) if each.printed else "nothing",
        )
        for number, each in enumerate(verdict.ranks, start=1)
    ]


def execution_rows(verdict: Verdict) -> list[tuple[str, str]]:
    """What ran where, at what cost; an empty label continues the row above."""
    ran, before, after = verdict.execution, verdict.original, verdict.patched
    evidence = dict(_evidence(verdict))
    rows = [("ran_on", evidence["ran_on"]), *(("", reason) for reason in ran.reasons)]
    if ran.compared_calls:
        calls = _count(ran.compared_calls, "call")
        rows.append(("", f"but for {calls} run eagerly to compare new graphs with"))
    rows += [(label, evidence[label]) for label in ("loss_in_graph", "label_sparsity")]
    if ran.label_density is not None:
        rows.append(("label_density", f"{100 * ran.label_density:.3g} %"))
    if ran.exports:
        rows.append(("exports", f"{ran.exports} in {ran.export_seconds or 0:.1f} s"))
    rows.append(("step time, original", _milliseconds(before.ms_per_step)))
    rows.append(("step time, patched", _milliseconds(after.ms_per_step)))
    if verdict.ratio:
        rows.append(("original / patched", f"{verdict.ratio:.2f}"))
    rows.append(("peak memory, original", _megabytes(before.peak_memory_mb)))
    rows.append(("peak memory, patched", _megabytes(after.peak_memory_mb)))
    rows += [("note", message) for message in verdict.messages]
    return rows


def _comparison(verdict: Verdict) -> Table:
    shown = Table(title="original against patched", title_justify="left")
    shown.add_column("compared")
    shown.add_column("largest difference", justify="right")
    if verdict.noise is not None:
        shown.add_column("original against itself, nudged", justify="right")
    for row in comparison_rows(verdict):
        shown.add_row(*row[: len(shown.columns)])
    absolute, relative = verdict.tolerances.of("float32")
    shown.caption = (
        f"float32 may differ by {absolute:g} + {relative:g} of its value; "
        f"seed {verdict.seed}, dropout {verdict.dropout} on both sides"
    )
    return shown


def _processes(verdict: Verdict) -> Table:
    title = f"{len(verdict.ranks)} processes, largest differences of each"
    shown = Table(title=title, title_justify="left")
    for number, heading in enumerate(PROCESS_HEADINGS):
        shown.add_column(heading, justify="right" if number else "left")
    for row in process_rows(verdict):
        shown.add_row(*row)
    return shown


def _over_seeds(verdict: Verdict) -> Table:
    title = f"mean over {verdict.seeds} seeds, dropout on"
    shown = Table(title=title, title_justify="left")
    shown.add_column("compared")
    for heading in ("original", "patched", "chance between equals"):
        shown.add_column(heading, justify="right")
    for row in distribution_rows(verdict):
        shown.add_row(*row)
    return shown


def _execution(verdict: Verdict) -> Table:
    shown = Table(title="what ran", title_justify="left", show_header=False)
    for label, text in execution_rows(verdict):
        shown.add_row(label, escape(text))
    return shown


def _first_difference(verdict: Verdict) -> str:
    first = verdict.first_difference
    if first is None:
        return verdict.messages[-1] if verdict.messages else "the runs differ"
    what = f"{first.what} {first.name}".strip()
    when = f"at step {first.step}" if first.step else f"after {_count(verdict.steps, 'step')}"
    where = f" in process {first.rank}" if verdict.processes > 1 else ""
    values = f"{_number(first.original)} became {_number(first.patched)}"
    lines = "".join(f", {label} `{text}`" for label, text in _printed_lines(verdict))
    return f"{what} {when}{where}: {values}{lines}; {first.likely_cause}"


def _largest_difference(verdict: Verdict) -> float | None:
    sizes = (verdict.max_loss_diff, verdict.max_param_diff, verdict.max_buffer_diff)
    known = [size for size in sizes if size is not None]
    return max(known) if known else None


def _noise(verdict: Verdict) -> str:
    if not verdict.within_noise:
        return ""
    return " (rounding: the original nudged by its last digits differs from itself as much)"


def _speed(verdict: Verdict) -> str:
    ratio = verdict.ratio
    if ratio is None or verdict.busy:
        return ""
    return f"{1 / ratio:.2f} of the original's time (ratio {ratio:.2f})"


def _number(value: float | None) -> str:
    if value is None:
        return "nothing"
    if not math.isfinite(value):
        return str(value)
    return f"{value:.6g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.1e}"


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def _milliseconds(value: float | None) -> str:
    return "too few steps to tell" if value is None else f"{short(value)} ms"


def _megabytes(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f} MB"
