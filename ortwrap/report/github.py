"""Outcomes as GitHub Actions workflow commands, which show as annotations on the line."""

from __future__ import annotations

from collections.abc import Iterator

from ortwrap.outcome import Outcome
from ortwrap.report.text import UNUSED_SKIP, finding_message


def workflow_commands(outcome: Outcome) -> Iterator[str]:
    """One command for the error of a file or for each of its steps that wants attention."""
    if outcome.fault is not None:
        fault = outcome.fault
        yield _command("error", outcome.path, fault.line, "ortwrap", fault.message, fault.column)
    for step in outcome.steps:
        if step.status != "skipped":
            level = "warning" if step.code else "notice"
            title = f"ortwrap {step.code}" if step.code else "ortwrap"
            yield _command(level, outcome.path, step.line, title, finding_message(step))
    for line in outcome.unused_skips:
        yield _command("warning", outcome.path, line, "ortwrap unused skip", UNUSED_SKIP)


def _command(
    level: str, path: str, line: int | None, title: str, message: str, column: int | None = None
) -> str:
    places = {"file": path, "line": line, "col": column, "title": title}
    properties = ",".join(
        f"{key}={_escaped(str(value), property_=True)}"
        for key, value in places.items()
        if value is not None
    )
    return f"::{level} {properties}::{_escaped(message)}"


def _escaped(text: str, *, property_: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property_ else text
