"""A verdict for people: a table, and one line that says it all."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ortwrap.proof.answers import answers
from ortwrap.proof.rows import (
    PROCESS_HEADINGS,
    ROUNDING_ALONE,
    WHAT_ROUNDING_IS,
    comparison_rows,
    distribution_rows,
    execution_rows,
    process_rows,
)
from ortwrap.proof.sentences import plain_line
from ortwrap.proof.verdict import Verdict

_STYLES = {"match": "bold green", "mismatch": "bold red", "error": "bold yellow"}


def table(verdict: Verdict) -> RenderableType:
    """Everything compared and measured, without the verdict line."""
    parts: list[RenderableType] = []
    if verdict.steps:
        compared = comparison_rows(verdict)
        if compared:
            parts.append(_comparison(verdict, compared))
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


def _comparison(verdict: Verdict, rows: Sequence[tuple[str, ...]]) -> Table:
    shown = Table(title="original against patched", title_justify="left")
    shown.add_column("compared")
    shown.add_column("largest difference", justify="right")
    if verdict.noise is not None:
        shown.add_column(ROUNDING_ALONE, justify="right")
    for row in rows:
        shown.add_row(*row[: len(shown.columns)])
    absolute, relative = verdict.tolerances.of("float32")
    shown.caption = (
        f"float32 may differ by {absolute:g} + {relative:g} of its value; "
        f"both sides with seed {verdict.seed} and dropout {verdict.dropout}"
    )
    if verdict.noise is not None:
        shown.caption += f"\n{ROUNDING_ALONE}: {WHAT_ROUNDING_IS}"
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
