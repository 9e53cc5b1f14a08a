"""SARIF and GitHub output: what other programs read from a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
from sarif_pydantic import Sarif

from ortwrap.engine.result import Result, Step
from ortwrap.outcome import Fault, Outcome
from ortwrap.report.github import workflow_commands
from ortwrap.report.sarif import as_sarif
from ortwrap.source import Source

# That of the standard as published by its authors, without its descriptions.
SCHEMA = Path(__file__).with_name("sarif-2.1.0-rtm.5.json")

REWRITTEN = Step(3, "train", "rewritten", None, "forward and loss lifted", "", "ModuleWithLoss")
REFUSED = Step(5, None, "refused", "OW201", "create_graph asks for second order", "Leave it")
SKIPPED = Step(9, None, "skipped", None, "rewritten earlier")


def outcome(path: str, *steps: Step) -> Outcome:
    return Outcome(path, Source(path, "a\n", "utf-8"), Result("a\n", "a\n", steps))


OUTCOMES = [
    outcome("a folder/\u00fcben.py", REWRITTEN, REFUSED, SKIPPED),
    outcome("/absolute/plain.py"),
    Outcome("bad.py", fault=Fault("invalid syntax", 3, 4)),
    Outcome("missing.py", fault=Fault("no such file or folder")),
]


def test_sarif_is_what_the_standard_knows_and_nothing_else() -> None:
    document = json.loads(as_sarif(OUTCOMES, "1.2.3"))
    parsed = Sarif.model_validate(document)
    # What the model does not know would be lost on the way.
    assert json.loads(parsed.model_dump_json(by_alias=True, exclude_unset=True)) == document


def test_sarif_is_valid_by_the_schema_of_the_standard() -> None:
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft4Validator(schema)
    unused = replace(outcome("a.py", REFUSED), result=Result("", "", (), unused_skips=(4,)))
    for outcomes in (OUTCOMES, [unused], [], [outcome("plain.py")]):
        document = json.loads(as_sarif(outcomes, "1.2.3"))
        assert list(validator.iter_errors(document)) == []
    del document["runs"][0]["tool"]
    assert list(validator.iter_errors(document)), "the schema lets everything by"


def test_sarif_places_each_step_and_tells_faults_apart() -> None:
    (run,) = json.loads(as_sarif(OUTCOMES, "1.2.3"))["runs"]
    rows = [
        (
            result["ruleId"],
            result["level"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"],
        )
        for result in run["results"]
    ]
    uri = "a%20folder/%C3%BCben.py"
    assert rows == [
        ("rewritable-step", "note", uri, {"startLine": 3}),
        ("OW201", "warning", uri, {"startLine": 5}),
    ]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["rewritable-step", "OW201"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    texts = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
    assert texts == ["invalid syntax", "no such file or folder"]


def test_sarif_of_a_run_without_anything_to_say() -> None:
    document = json.loads(as_sarif([outcome("plain.py")], "1.2.3"))
    Sarif.model_validate(document)
    assert document["runs"][0]["results"] == []
    assert document["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_github_annotations_stand_on_the_line() -> None:
    lines = [line for each in OUTCOMES for line in workflow_commands(each)]
    assert lines == [
        "::notice file=a folder/\u00fcben.py,line=3,title=ortwrap::"
        "this training step can be rewritten: ortwrap rewrite --write",
        "::warning file=a folder/\u00fcben.py,line=5,title=ortwrap OW201::"
        "create_graph asks for second order. Leave it.",
        "::error file=bad.py,line=3,col=4,title=ortwrap::invalid syntax",
        "::error file=missing.py,title=ortwrap::no such file or folder",
    ]


def test_github_annotations_cannot_be_broken_out_of() -> None:
    bad = Outcome("a,b:c%.py", fault=Fault("50 %\n::error::forged"))
    assert list(workflow_commands(bad)) == [
        "::error file=a%2Cb%3Ac%25.py,title=ortwrap::50 %25%0A::error::forged"
    ]
