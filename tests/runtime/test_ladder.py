"""What is tried when ONNX Runtime breaks on its own optimizations, and when nothing is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ortwrap.runtime.ladder import Rung, rungs_after

FUSION = RuntimeError(
    "[ONNXRuntimeError] : 6 : gemm_sum_fusion.cc:53 virtual onnxruntime::common::Status "
    "onnxruntime::GemmSumFusion::Apply(onnxruntime::Graph&) const was false."
)
EDGE = RuntimeError("/onnxruntime_src/graph.cc:1591 Argument mismatch when removing edge.")
GRADIENT = RuntimeError("/onnxruntime_src/gradient_builder_registry.cc:29 No gradient for 'Foo'")


def test_an_optimizer_that_is_named_is_left_out_first():
    first, last = rungs_after(FUSION)
    assert first == Rung(without=("GemmSumFusion",))
    assert str(first) == "without GemmSumFusion"
    assert not last.optimized


def test_a_graph_that_was_merged_wrongly_is_built_without_merging():
    assert [rung.apart for rung in rungs_after(EDGE)] == [True, True]


def test_what_optimizations_did_not_do_is_not_tried_again():
    assert list(rungs_after(GRADIENT)) == []
    assert list(rungs_after(ValueError("aten::foo is not supported"))) == []


def test_the_report_says_what_was_left_out():
    """GemmSumFusion of ONNX Runtime 1.19.2 breaks on two LSTMCells that start from zeros."""
    pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")
    from ortwrap.runtime import ort_module
    from ortwrap.runtime.operators.coverage.cases.recurrent import CellsInALoop

    class Step(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, x):
            return self.model(x)

    step = ort_module(Step, CellsInALoop())
    step(torch.randn(3, 6)).backward()
    (row,) = step.report()["signatures"]
    assert (row["backend"], row["left_out"]) == ("ort", "without GemmSumFusion")
