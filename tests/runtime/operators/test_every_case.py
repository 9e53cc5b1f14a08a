"""Every layer and loss of the coverage table: as it says there, on ONNX Runtime or eagerly.

The cases run in a process of their own, so that one that dies fails one test.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")

from ortwrap.runtime.operators.coverage.cases import CASES
from ortwrap.runtime.operators.coverage.outcome import Verdict
from ortwrap.runtime.operators.coverage.survey import Worker

_NUMBERED = [
    pytest.param(f"{family}/{number}", case, id=f"{family}: {case.name}")
    for family, cases in CASES.items()
    for number, case in enumerate(cases)
]


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker("ortwrap")
    yield worker
    worker.stop()


@pytest.mark.parametrize(("name", "case"), _NUMBERED)
def test_trains_as_the_table_says(worker, name, case):
    outcome = worker.run(name)
    expected = Verdict.EXACT if case.eager is None else Verdict.EAGER
    assert outcome.verdict is expected, outcome.detail


def test_names_are_unique():
    names = [case.name for cases in CASES.values() for case in cases]
    assert len(names) == len(set(names)) >= 120
