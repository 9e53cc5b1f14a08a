"""What is said of a failure, where the failure itself does not say what to do."""

from __future__ import annotations

import pytest

from ortwrap.runtime.reasons import Reason


@pytest.mark.parametrize(
    "said",
    [
        "error unpacking string as utf-8",
        "There was an error while exporting:\nRuntimeError: error unpacking string as utf-8",
    ],
)
def test_a_path_that_the_exporter_cannot_read_comes_with_advice(said: str) -> None:
    text = Reason.of_failure("ONNX Runtime cannot run it", RuntimeError(said)).text
    assert text.startswith("ONNX Runtime cannot run it: RuntimeError: error unpacking")
    assert "PYTHONUTF8=1" in text


def test_other_failures_stay_as_they_are() -> None:
    assert Reason.of_failure("failed", RuntimeError("no")).text == "failed: RuntimeError: no"
