"""Recurrent layers: what goes beyond one direction through an LSTM or a GRU of full sequences."""

from __future__ import annotations

from typing import Any

from torch import nn

from .arguments import constant_of, is_list
from .paths import scalar_type
from .registry import as_torch
from .stand_ins import StandIn


def _is_beyond_onnxruntime(g: Any, input: Any, *options: Any) -> bool:
    """lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers,
    float dropout, bool train, bool bidirectional, bool batch_first), gru.input likewise with a
    tensor hx; .data, of packed sequences, has a tensor of batch sizes before hx."""
    params, has_biases = options[1], options[2]
    if not is_list(params) or len(options) != 8:
        return True
    bidirectional = bool(constant_of(options[6]))
    dropout = float(constant_of(options[4]) or 0.0)
    weights = len(list(params.node().inputs()))
    projected = weights % (4 if constant_of(has_biases) else 2) != 0
    return bidirectional or projected or dropout > 0 or scalar_type(input) == "Double"


OPERATORS = (
    *as_torch("lstm gru", when=_is_beyond_onnxruntime),
    *as_torch("rnn_tanh rnn_relu"),
    *as_torch("_pack_padded_sequence _pad_packed_sequence"),
)


def _check_nothing(*_: Any) -> None:
    """Stands in for checks of sizes that read the lengths of packed sequences as numbers.

    Eager has made them before the trace, and torch's kernels make them at each step.
    """


STAND_INS = (
    StandIn(nn.RNNBase, "check_forward_args", _check_nothing),
    StandIn(nn.LSTM, "check_forward_args", _check_nothing),
)
