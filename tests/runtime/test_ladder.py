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
MOVED = RuntimeError(
    "/onnxruntime_src/optimizer/compute_optimizer/upstream_gather_actors.cc:92 bool "
    "onnxruntime::optimizer::compute_optimizer::UpdateSliceOutputShape(onnxruntime::NodeArg&) "
    "axis_to_update >= 0 && axis_to_update < rank was false."
)


def test_an_optimizer_that_is_named_is_left_out_first():
    first, last = rungs_after(FUSION)
    assert first == Rung(without=("GemmSumFusion",))
    assert str(first) == "without GemmSumFusion"
    assert not last.optimized


def test_a_graph_that_was_merged_wrongly_is_built_without_merging():
    assert [rung.apart for rung in rungs_after(EDGE)] == [True, True]


def test_what_was_picked_too_early_is_picked_where_the_step_does():
    first, last = rungs_after(MOVED)
    assert first == Rung(moved=False)
    assert str(first) == "without the compute optimizer"
    assert (last.optimized, last.moved) == (False, False)


def test_what_optimizations_did_not_do_is_not_tried_again():
    assert list(rungs_after(GRADIENT)) == []
    assert list(rungs_after(ValueError("aten::foo is not supported"))) == []


class Forecast(nn.Module):
    """The last steps of a series, as most forecasting models give them."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 4)

    def forward(self, x):
        out = self.linear(x.transpose(1, 2)).transpose(1, 2)
        return out[:, -2:, :]


def test_a_part_of_what_a_layer_gives_over_sequences_trains_on_ort():
    """The compute optimizer of ONNX Runtime 1.19.2 breaks on a slice of the layer's last axis."""
    pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")
    from twins import Twins

    twins = Twins(Forecast(), nn.MSELoss())
    for size in (5, 5, 3):
        twins.step(torch.randn(size, 8, 3), torch.randn(size, 2, 3))
    assert twins.backends == ["ort"]


def test_the_report_says_what_was_left_out():
    pytest.importorskip("onnxruntime.training", reason="ONNX Runtime training is not installed")
    from ortwrap.runtime import ort_module

    class Step(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, x):
            return self.model(x).square().mean()

    step = ort_module(Step, Forecast())
    step(torch.randn(3, 8, 3)).backward()
    (row,) = step.report()["signatures"]
    assert (row["backend"], row["left_out"]) == ("ort", "without the compute optimizer")
