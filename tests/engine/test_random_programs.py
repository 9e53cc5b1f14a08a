"""Scripts composed at random train after the rewrite exactly as they did before."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_cases import comments
from hypothesis import HealthCheck, event, given, settings
from names_in import unresolved_names
from random_programs import Program, programs
from recorded_run import assert_same, run

from ortwrap.engine import rewrite_source

HERE = Path(__file__)


SETTINGS = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@settings(SETTINGS, max_examples=60)
@given(program=programs())
def test_a_random_program_trains_as_before(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORTWRAP_BACKEND", "eager")
    result = rewrite_source(program.text)
    event(result.status + " " + " ".join(sorted({str(step.code) for step in result.steps})))
    if result.status != "rewritten":
        assert result.text == program.text
        assert all(step.code for step in result.steps)
        return
    assert not comments(program.text) - comments(result.text)
    assert not unresolved_names(result.text)
    assert rewrite_source(result.text).text == result.text
    try:
        before = run(program.text, HERE)
    except RuntimeError as error:
        # What was changed in place cannot be differentiated, before the rewrite or after.
        with pytest.raises(RuntimeError, match=str(error)[:40]):
            run(result.text, HERE)
        return
    after = run(result.text, HERE)
    assert_same(before, after, tolerance=0)
    assert after.printed == before.printed


@pytest.mark.ort
@settings(SETTINGS, max_examples=12)
@given(program=programs())
def test_a_random_program_trains_alike_on_onnx_runtime(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORTWRAP_BACKEND", "ort")
    text = program.text.replace("nn.Dropout(0.2)", "nn.Identity()")  # ORT draws other masks
    result = rewrite_source(text)
    if result.status == "rewritten":
        assert_same(run(text, HERE), run(result.text, HERE), tolerance=1e-5)
