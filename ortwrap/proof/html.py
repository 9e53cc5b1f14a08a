"""The report of a verification as one HTML file that needs no network."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from ortwrap.engine.options import Options
from ortwrap.engine.templating import template_folder
from ortwrap.proof.charts import Chart, loss_chart, time_chart
from ortwrap.proof.environment import environment
from ortwrap.proof.measured import Benchmark
from ortwrap.proof.patched import patched_script
from ortwrap.proof.recording import warm_up
from ortwrap.proof.render import comparison_rows, execution_rows, plain_line
from ortwrap.proof.side_by_side import colours, side_by_side
from ortwrap.proof.verdict import Verdict

_LIGHT, _DARK = "friendly", "github-dark"


def html_report(
    verdict: Verdict,
    *,
    command: str,
    patched: Path | None = None,
    options: Options | None = None,
    benchmark: Benchmark | None = None,
) -> str:
    """The report's HTML.

    Args:
        verdict: what verify found.
        command: the command line that reproduces it.
        patched: the patched script that was given to verify; None when it was rewritten.
        options: choices for the rewrite, as given to verify.
        benchmark: what bench measured, to be shown as well.

    Raises:
        CannotVerify: the scripts cannot be read any more.
        ModuleNotFoundError: matplotlib is not installed.
    """
    script = Path(verdict.script)
    twin = patched_script(script, patched, options or Options())
    loader = FileSystemLoader(template_folder())
    environment_ = Environment(
        loader=loader,
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment_.get_template("report.html.j2").render(
        verdict=verdict,
        line=plain_line(verdict),
        command=command,
        compared=comparison_rows(verdict),
        executed=execution_rows(verdict),
        charts=_charts(verdict),
        diff=side_by_side(_text(script.read_bytes()), _text(twin.source)),
        light=Markup(colours(_LIGHT, ".code")),
        dark=Markup(colours(_DARK, ".code")),
        benchmark=benchmark,
        environment=environment(),
        markup=Markup,
    )


def _charts(verdict: Verdict) -> tuple[Chart, ...]:
    if verdict.status == "error" or not verdict.steps:
        return ()
    before, after = verdict.original, verdict.patched
    charts = []
    if before.losses and after.losses:
        charts.append(loss_chart(before.losses, after.losses))
    sides = (("original", before.step_ms), ("patched", after.step_ms))
    if before.step_ms and after.step_ms:
        charts.append(time_chart(sides, warm_up(verdict.steps)))
    return tuple(charts)


def _text(source: bytes) -> str:
    return source.decode("utf-8", "replace").lstrip("\ufeff")
