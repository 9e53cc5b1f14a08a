"""Any bytes through the whole path: an outcome, never an exception, never half a result."""

from __future__ import annotations

import ast

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
from ortwrap.report.text import problem_lines, step_lines, summary

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
    diff = unified_bytes(
        outcome.source.text, again.patched.decode(outcome.source.encoding), "a.py", "utf-8"
    )
    assert coloured(diff.decode())


def _report(outcome: Outcome) -> None:
    assert as_json([outcome])
    assert as_sarif([outcome], "0")
    assert summary([outcome], written=False)
    for lines in (problem_lines(outcome), step_lines(outcome), workflow_commands(outcome)):
        assert all("\n" not in line for line in lines)
