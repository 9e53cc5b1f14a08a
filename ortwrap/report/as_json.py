"""Outcomes as the JSON that other tools rely on; its shape is version 1 and stays so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ortwrap.engine.result import Step
from ortwrap.outcome import Outcome
from ortwrap.report.text import step_message


def as_json(outcomes: Sequence[Outcome]) -> str:
    """One JSON document for a whole run; the summary counts files."""
    statuses = [outcome.status for outcome in outcomes]
    document = {
        "version": 1,
        "files": [_file(outcome) for outcome in outcomes],
        "summary": {
            "files": len(outcomes),
            "rewritten": statuses.count("rewritten"),
            "refused": statuses.count("refused"),
            "errors": statuses.count("error"),
        },
    }
    return json.dumps(document, indent=2)


def _file(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"path": outcome.path, "status": outcome.status}
    if outcome.fault is not None:
        places = (outcome.fault.line, outcome.fault.column)
        place = ":".join(str(part) for part in places if part is not None)
        row["message"] = f"{place}: {outcome.fault.message}" if place else outcome.fault.message
    row["steps"] = [_step(step) for step in outcome.steps]
    return row


def _step(step: Step) -> dict[str, Any]:
    return {
        "line": step.line,
        "function": step.function,
        "status": step.status,
        "code": step.code,
        "message": step_message(step),
        "class": step.class_name,
    }
