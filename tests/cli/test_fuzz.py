"""Any bytes through the whole path: an outcome, never an exception, never half a result."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable

import pytest
from cli_scripts import REFUSED, TRAINING
from hypothesis import given, settings
from hypothesis import strategies as st

from ortwrap.engine.options import Options
from ortwrap.files import rewrite_bytes
from ortwrap.outcome import Outcome
from ortwrap.report.as_json import as_json
from ortwrap.report.diff import coloured, unified_bytes
from ortwrap.report.github import workflow_commands
from ortwrap.report.sarif import as_sarif
from ortwrap.report.text import evidence_lines, problem_lines, step_lines, summary

OPTIONS = Options()
_LINES = TRAINING.splitlines(keepends=True)
_SPLICES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(_LINES + REFUSED.splitlines(keepends=True)),
    st.sampled_from(
        ["\r\n", "\r", "\x0c", "\t", "    ", ";", "\\\n", "# ortwrap: skip\n", "\ufeff"]
    ),
)


@st.composite
def damaged_scripts(draw: st.DrawFn) -> bytes:
    """A training script with lines lost, doubled and changed, in some encoding."""
    lines = list(_LINES)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(lines)))
        if draw(st.booleans()):
            lines.insert(at, draw(_SPLICES))
        else:
            del lines[at : at + 1]
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "utf-16"]))
    text = "".join(lines).replace("\n", newline)
    return text.encode(encoding, "replace")


@given(st.one_of(damaged_scripts(), st.binary(max_size=300)))
@settings(max_examples=300, deadline=None)
def test_any_bytes_have_an_outcome(data: bytes) -> None:
    outcome = rewrite_bytes(data, "a.py", OPTIONS)
    if outcome.fault is not None:
        assert "internal error" not in outcome.fault.message, outcome.fault
        assert "\n" not in outcome.fault.message
        assert outcome.fault.message
        assert outcome.steps == ()
    else:
        _check_patched(outcome, data)
    _report(outcome)


def _check_patched(outcome: Outcome, data: bytes) -> None:
    assert outcome.source is not None
    if outcome.status != "rewritten":
        assert outcome.patched == data
        return
    ast.parse(outcome.patched.decode(outcome.source.encoding))
    again = rewrite_bytes(outcome.patched, "a.py", OPTIONS)
    assert again.patched == outcome.patched
    assert outcome.result is not None
    patched = again.patched.decode(outcome.source.encoding)
    changes = outcome.result.changes
    diff = unified_bytes(outcome.source.text, patched, "a.py", "utf-8", changes).decode()
    assert coloured(diff)
    assert diff.count("\n# line ") == len(changes)


def _report(outcome: Outcome) -> None:
    assert as_json([outcome])
    assert as_sarif([outcome], "0")
    assert summary([outcome], written=False)
    shown = (problem_lines, step_lines, evidence_lines, workflow_commands)
    assert all("\n" not in line for lines in shown for line in lines(outcome))


@given(damaged_scripts(), st.lists(st.integers(1, 20), max_size=3).map(tuple))
@settings(max_examples=60, deadline=None)
def test_any_steps_can_be_left_alone(data: bytes, leave: tuple[int, ...]) -> None:
    outcome = rewrite_bytes(data, "a.py", Options(leave=leave))
    assert outcome.fault is None or "internal error" not in outcome.fault.message
    assert not {step.line for step in outcome.rewritten} & set(leave)


@given(st.lists(damaged_scripts(), max_size=3), st.sampled_from([4, 3, "4", None]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_notebook_has_an_outcome(cells: list[bytes], format_: object, cut: bool) -> None:
    notebook = {
        "nbformat": format_,
        "nbformat_minor": 4,
        "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": f"%matplotlib inline\n{source.decode('utf-8', 'replace')}",
            }
            for source in cells
        ],
    }
    data = json.dumps(notebook).encode()
    outcome = rewrite_bytes(data[: len(data) // 2] if cut else data, "a.ipynb", OPTIONS)
    assert outcome.fault is None or "internal error" not in outcome.fault.message, outcome.fault
    if outcome.fault is None and outcome.status != "rewritten":
        assert outcome.patched == data
    _report(outcome)


@pytest.mark.parametrize("depth", [150, 900, 4000])
@pytest.mark.parametrize(
    "nested",
    [
        pytest.param(lambda n: f"x = {'(' * n}1{')' * n}\n", id="parentheses"),
        pytest.param(lambda n: f"x = a{'.b' * n}\n", id="attributes"),
        pytest.param(lambda n: f"x = {'-' * n}1\n", id="signs"),
        pytest.param(lambda n: "if a: pass\n" + "elif a: pass\n" * n, id="branches"),
        pytest.param(lambda n: f"x = {' + '.join(['1'] * n)}\n", id="a long sum"),
    ],
)
def test_what_is_nested_too_deeply_is_told(nested: Callable[[int], str], depth: int) -> None:
    text = f"import torch\n{nested(depth)}loss.backward()\n"
    outcome = rewrite_bytes(text.encode(), "a.py", OPTIONS)
    if outcome.fault is not None:
        assert "nested" in outcome.fault.message
    _report(outcome)


@pytest.mark.parametrize("mark", ["\x0c", "\x1c", "\x85", "\u2028"])
def test_only_newlines_end_lines(mark: str) -> None:
    """Found by `python -m benchmarks.fuzz`: a form feed made the check of the output cry wolf."""
    text = f"title = '''{mark}'''\n{TRAINING}"
    outcome = rewrite_bytes(text.encode(), "a.py", OPTIONS)
    assert [(step.line, step.status) for step in outcome.steps] == [(12, "rewritten")]
    _check_patched(outcome, text.encode())
