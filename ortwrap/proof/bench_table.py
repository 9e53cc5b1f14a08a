"""A benchmark for people: the ways to run a script beside one another."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from ortwrap.proof.figures import count, short
from ortwrap.proof.measured import Benchmark, Measured

BENCH_HEADINGS = ("ms/step", "quartiles", "ratio", "warm-up s", "pays after", "peak MB")


def bench_table(benchmark: Benchmark) -> RenderableType:
    """The four ways to run the script, beside one another."""
    # Seven columns on a terminal of 80 characters leave no room for lines between them.
    title = runs_made(benchmark)
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


def runs_made(benchmark: Benchmark) -> str:
    """How often each way was run, and how far."""
    often = "once" if benchmark.repeat == 1 else f"{benchmark.repeat} times, in turn"
    return f"each way run {often}, for {count(benchmark.steps, 'step')}"


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
