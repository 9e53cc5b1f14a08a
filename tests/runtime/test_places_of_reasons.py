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


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (
            "/onnxruntime_src/a/gradient_graph_builder.cc:123 onnxruntime::Builder::Builder("
            "onnxruntime::Graph*, const std::set<int (*)(int)>&) ",
            "output-1: couldn't find the producer node, and it's not a graph input.",
        ),
        (
            "/onnxruntime_src/a/pybind_state.cc:548 onnxruntime::python::add(module&)::"
            "<lambda(onnxruntime::Builder*, const onnxruntime::Configuration&)> ",
            "[ONNXRuntimeError] : 1 : FAIL : Duplicate definition (of a name)",
        ),
        ("/onnxruntime_src/a/op_kernel.cc:83 virtual Value* Output(int) const ", "it was false"),
        ("", "/onnxruntime_src/graph.cc:1591 Argument mismatch when removing edge."),
    ],
)
def test_what_onnx_runtime_says_comes_without_its_functions(place: str, said: str) -> None:
    text = Reason.of_failure("failed", RuntimeError(place + said)).text
    assert text in (f"failed: {said}", f"failed: RuntimeError: {said}")
