"""Each idiom trains after the rewrite as it did before: same losses, parameters and buffers."""

from __future__ import annotations

import functools
import gc
import json
from collections import Counter

import pytest
from engine_cases import Case, each_case, need_libraries
from recorded_run import Run, assert_same, run

from ortwrap.runtime import backend, report

ORT_TOLERANCE = 1e-5

# Cases that ONNX Runtime gets no call of: they must train alike all the same.
MAY_RUN_EAGERLY = {
    "weights_changed_after_the_criterion": "each step compares the graph of its own criterion",
}

# Cases that train on ONNX Runtime before they are rewritten: not bit by bit what eager does.
ON_ORT_BEFORE = {"ortmodule_around_the_model"}


@functools.cache
def before(case: Case) -> Run:
    if case.name in ON_ORT_BEFORE:
        assert backend.unavailable() is None
    return run(case.before, case.path)


@each_case
def test_eager_trains_bit_by_bit_alike(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    need_libraries(case)
    if case.name in ON_ORT_BEFORE:
        pytest.skip("it trains on ONNX Runtime before")
    monkeypatch.setenv("ORTWRAP_BACKEND", "eager")
    after = run(case.after, case.path)
    assert_same(before(case), after, tolerance=0)
    assert after.printed == before(case).printed


@pytest.mark.ort
@each_case
def test_onnx_runtime_trains_alike(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    need_libraries(case)
    monkeypatch.setenv("ORTWRAP_BACKEND", "ort")
    known = _signatures()
    after = run(case.after, case.path)
    assert_same(before(case), after, tolerance=ORT_TOLERANCE)
    own = [json.loads(text) for text in (_signatures() - known).elements()]
    assert any(row["ort_calls"] for row in own) or case.name in MAY_RUN_EAGERLY, own
    gc.collect()


def _signatures() -> Counter[str]:
    """What this process knows of every signature that it has met."""
    wrappers = report.of_process()["wrappers"]
    return Counter(json.dumps(row) for wrapper in wrappers for row in wrapper["signatures"])
