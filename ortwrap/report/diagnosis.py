"""A diagnosis of `ortwrap doctor` as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ortwrap.runtime.doctor import Diagnosis, Finding

_MARKS = {"ok": ("ok", "green"), "warning": ("note", "yellow"), "error": ("wrong", "red")}


def diagnosis_lines(diagnosis: Diagnosis) -> Iterator[str]:
    """One line for each finding, what it means and its remedy below it, and a conclusion."""
    width = max((len(finding.subject) for finding in diagnosis.findings), default=0)
    for finding in diagnosis.findings:
        yield from _finding(finding, width)
    if diagnosis.healthy:
        yield click.style("ORTModule can train here.", fg="green", bold=True)
    else:
        yield click.style("ORTModule cannot train here yet.", fg="red", bold=True)


def _finding(finding: Finding, width: int) -> Iterator[str]:
    mark, colour = _MARKS[finding.severity.value]
    yield f"{click.style(f'{mark:<5}', fg=colour)}  {finding.subject:<{width}}  {finding.found}"
    indent = " " * 7
    if finding.severity.value != "ok" and finding.meaning:
        yield f"{indent}{finding.meaning}"
    if finding.remedy:
        yield f"{indent}-> {click.style(finding.remedy, bold=True)}"
