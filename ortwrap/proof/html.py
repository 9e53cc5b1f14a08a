"""Reports of a verification and of a benchmark: one HTML file each that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from ortwrap.engine.options import Options
from ortwrap.engine.templating import template_folder
from ortwrap.proof.answers import answers
from ortwrap.proof.bench_table import BENCH_HEADINGS, bench_cells, runs_made
from ortwrap.proof.charts import (
    Chart,
    course_chart,
    density_chart,
    difference_chart,
    loss_chart,
    spread_chart,
)
from ortwrap.proof.environment import environment
from ortwrap.proof.measured import Benchmark
from ortwrap.proof.patched import CannotVerify, patched_script
from ortwrap.proof.recording import warm_up
from ortwrap.proof.rows import (
    PROCESS_HEADINGS,
    ROUNDING_ALONE,
    WHAT_ROUNDING_IS,
    comparison_rows,
    distribution_rows,
    execution_rows,
    first_difference_rows,
    process_rows,
    tiles,
    wrapper_rows,
)
from ortwrap.proof.sentences import in_words
from ortwrap.proof.side_by_side import Row, colours, side_by_side
from ortwrap.proof.verdict import Verdict

# Both are legible (WCAG AA) on the page, and on what is removed and added.
_LIGHT, _DARK = "xcode", "github-dark"
# Above this share of valid labels the runtime keeps them all.
_DENSE = 0.9


def html_report(
    verdict: Verdict,
    *,
    command: str,
    patched: Path | None = None,
    also: Sequence[Path] = (),
    options: Options | None = None,
) -> str:
    """The report of a verification.

    Args:
        verdict: what verify found.
        command: the command line that reproduces it.
        patched: the patched script that was given to verify; None when it was rewritten.
        also: further files that were rewritten.
        options: choices for the rewrite, as given to verify.

    Raises:
        CannotVerify: the scripts cannot be read any more.
        ModuleNotFoundError: matplotlib is not installed.
    """
    try:
        diff = _diff(Path(verdict.script), patched, options or Options(), also)
    except CannotVerify:
        # What cannot be rewritten has no diff; the verdict says why.
        if verdict.status != "error":
            raise
        diff = ()
    return _render(
        "report.html.j2",
        command=command,
        diff=diff,
        verdict=verdict,
        sentence=in_words(verdict),
        tiles=tiles(verdict),
        first=first_difference_rows(verdict),
        charts=_charts(verdict),
        compared=comparison_rows(verdict),
        processes=process_rows(verdict),
        process_headings=PROCESS_HEADINGS,
        rounding_alone=ROUNDING_ALONE,
        what_rounding_is=WHAT_ROUNDING_IS,
        distributions=distribution_rows(verdict),
        answers=answers(verdict),
        charted=_charted_process(verdict),
        executed=execution_rows(verdict),
        wrappers=wrapper_rows(verdict),
    )


def _diff(
    script: Path, patched: Path | None, options: Options, also: Sequence[Path]
) -> tuple[Row, ...]:
    """What was changed, file by file."""
    twin = patched_script(script, patched, options, also)
    return tuple(
        row
        for path, source in [(script, twin.source), *twin.others]
        for row in side_by_side(_text(path.read_bytes()), _text(source))
    )


def benchmark_report(benchmark: Benchmark, *, command: str) -> str:
    """The report of a benchmark.

    Args:
        benchmark: what bench measured.
        command: the command line that reproduces it.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    headline, _, detail = benchmark.advice.partition(": ")
    timed = [(way.name, way.step_ms) for way in benchmark.measured if way.step_ms]
    return _render(
        "bench.html.j2",
        command=command,
        diff=(),
        benchmark=benchmark,
        headline=headline,
        detail=f"{detail[:1].upper()}{detail[1:]}" if detail else benchmark.advice,
        runs_made=runs_made(benchmark),
        headings=BENCH_HEADINGS,
        ways=[(way, bench_cells(way)) for way in benchmark.measured],
        charts=(spread_chart(timed), course_chart(timed, 0)) if timed else (),
    )


def _render(template: str, **values: Any) -> str:
    page = Environment(
        loader=FileSystemLoader(template_folder()),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return page.get_template(template).render(
        environment=environment(),
        light=Markup(colours(_LIGHT, ".code")),
        dark=Markup(colours(_DARK, ".code")),
        markup=Markup,
        **values,
    )


def _charted_process(verdict: Verdict) -> str:
    """Which of several processes the charts show."""
    if not verdict.ranks:
        return ""
    first = verdict.first_difference
    return f", rank {first.rank if first else verdict.ranks[0].rank}"


def _charts(verdict: Verdict) -> tuple[Chart, ...]:
    if verdict.status == "error" or not verdict.steps:
        return ()
    before, after = verdict.original, verdict.patched
    charts = []
    if before.losses and after.losses:
        absolute, relative = verdict.tolerances.of("float32")
        allowed = [absolute + relative * abs(loss) for loss in before.losses]
        charts.append(loss_chart(before.losses, after.losses, before.loss_kinds))
        charts.append(difference_chart(before.losses, after.losses, allowed))
    if before.step_ms and after.step_ms:
        first = warm_up(verdict.steps)
        sides = (("original", before.step_ms), ("patched", after.step_ms))
        charts.append(course_chart(sides, first))
        charts.append(spread_chart([(name, ms[first:] or ms) for name, ms in sides]))
    if verdict.execution.label_densities:
        charts.append(density_chart(verdict.execution.label_densities, _DENSE))
    return tuple(charts)


def _text(source: bytes) -> str:
    return source.decode("utf-8", "replace").lstrip("\ufeff")
