"""Random numbers, drawn from torch's generator in the order in which eager draws them.

ONNX Runtime has a generator of its own: other dropout masks, other noise in a variational
autoencoder. Here torch draws, so that `torch.manual_seed` means the same with and without ONNX
Runtime. `ORTWRAP_DROPOUT=ort` leaves plain dropout to ONNX Runtime, whose masks differ.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch

from .arguments import constant_of
from .calls import Output, Slot, TorchCall
from .paths import latest, needs_gradient, note
from .registry import as_torch, call_node


def _drops(g: Any, input: Any, p: Any, train: Any) -> bool:
    """dropout(Tensor input, float p, bool train) -> Tensor"""
    exact = os.environ.get("ORTWRAP_DROPOUT", "torch") != "ort"
    return exact and bool(constant_of(train)) and constant_of(p) != 0.0


def dropped(g: Any, value: Any, p: float, dtype: torch.dtype, sizes: Sequence[int]) -> Any:
    """A node for `torch.dropout` of a value that the trace has not, drawn in eager's order.

    Args:
        g: the exporter's graph context.
        value: what some elements of are to be dropped.
        p: the share of them.
        dtype: of the value.
        sizes: those that it had in the trace.
    """
    trained = int(needs_gradient(value, g.graph))
    before = latest("draws", g.graph)
    tensors = [value] if before is None else [value, before]
    output = Output(dtype, len(sizes), bool(trained))
    call = TorchCall(
        torch.ops.aten.dropout.default,
        (Slot(0), p, True),
        trained,
        (output,),
        sizes=(tuple(sizes), *[None] * (len(tensors) - 1)),
    )
    made = call_node(g, call, tensors)
    note("draws", made)
    return made


OPERATORS = (
    *as_torch("dropout", when=_drops, keeps="", random=True),
    *as_torch("feature_dropout alpha_dropout feature_alpha_dropout", keeps="inputs", random=True),
    *as_torch("rrelu rrelu_with_noise", random=True),
    *as_torch("randn randn_like rand rand_like randint randint_like randperm", random=True),
    *as_torch("normal normal_functional bernoulli multinomial binomial poisson", random=True),
    *as_torch("uniform exponential log_normal cauchy geometric random", random=True),
    *as_torch("_standard_gamma _sample_dirichlet", random=True),
)
