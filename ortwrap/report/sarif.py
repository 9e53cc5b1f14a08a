"""Outcomes as SARIF 2.1.0, which code scanning services and editors read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from ortwrap.engine.result import Step
from ortwrap.outcome import Fault, Outcome
from ortwrap.report.text import UNUSED_SKIP, finding_message

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_REWRITABLE = "rewritable-step"
_UNUSED = "unused-skip"


def as_sarif(outcomes: Sequence[Outcome], version: str) -> str:
    """One SARIF log with one run; faults of files are notifications of its invocation.

    Args:
        outcomes: every file of the run.
        version: of ortwrap.
    """
    steps = [(outcome, step) for outcome in outcomes for step in outcome.steps]
    shown = [(outcome, step) for outcome, step in steps if step.status != "skipped"]
    unused = [(outcome, line) for outcome in outcomes for line in outcome.unused_skips]
    faults = [(outcome, outcome.fault) for outcome in outcomes if outcome.fault is not None]
    run = {
        "tool": {
            "driver": {
                "name": "ortwrap",
                "semanticVersion": version,
                "rules": list(_rules({_rule_id(step) for _, step in shown}, unused=bool(unused))),
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not faults,
                "toolExecutionNotifications": [_notification(*fault) for fault in faults],
            }
        ],
        "results": [
            *(_result(outcome, step) for outcome, step in shown),
            *(_unused(outcome, line) for outcome, line in unused),
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rules(used: set[str], *, unused: bool) -> Iterator[dict[str, Any]]:
    if _REWRITABLE in used:
        yield {
            "id": _REWRITABLE,
            "shortDescription": {"text": "a training step that ortwrap can rewrite"},
            "defaultConfiguration": {"level": "note"},
        }
    if unused:
        yield {
            "id": _UNUSED,
            "shortDescription": {"text": "a `# ortwrap: skip` that speaks of no training step"},
            "defaultConfiguration": {"level": "warning"},
        }
    if used - {_REWRITABLE}:
        from ortwrap.engine.refusal_pages import PAGES

        for code in sorted(used - {_REWRITABLE}):
            page = PAGES[code]
            yield {
                "id": code,
                "shortDescription": {"text": page.title},
                "fullDescription": {"text": page.reason},
                "help": {"text": page.advice_for_all},
                "defaultConfiguration": {"level": "warning"},
            }


def _result(outcome: Outcome, step: Step) -> dict[str, Any]:
    return {
        "ruleId": _rule_id(step),
        "level": "warning" if step.code else "note",
        "message": {"text": finding_message(step)},
        "locations": [_location(outcome.path, step.line, None, step.function)],
    }


def _unused(outcome: Outcome, line: int) -> dict[str, Any]:
    return {
        "ruleId": _UNUSED,
        "level": "warning",
        "message": {"text": UNUSED_SKIP},
        "locations": [_location(outcome.path, line, None)],
    }


def _rule_id(step: Step) -> str:
    return step.code or _REWRITABLE


def _notification(outcome: Outcome, fault: Fault) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": fault.message},
        "locations": [_location(outcome.path, fault.line, fault.column)],
    }


def _location(
    path: str, line: int | None, column: int | None, function: str | None = None
) -> dict[str, Any]:
    pure = PurePath(path)
    uri = pure.as_uri() if pure.is_absolute() else quote(pure.as_posix(), errors="surrogateescape")
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if line is not None:
        region = {"startLine": line, "startColumn": column}
        physical["region"] = {key: value for key, value in region.items() if value is not None}
    location: dict[str, Any] = {"physicalLocation": physical}
    if function is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": function, "kind": "function"}]
    return location
