"""Random numbers, drawn from torch's generator in the order in which eager draws them.

ONNX Runtime has a generator of its own: other dropout masks, other noise in a variational
autoencoder. Here torch draws, so that `torch.manual_seed` means the same with and without ONNX
Runtime. `ORTWRAP_DROPOUT=ort` leaves plain dropout to ONNX Runtime, whose masks differ.
"""

from __future__ import annotations

import os
from typing import Any

from .arguments import constant_of
from .registry import as_torch


def _drops(g: Any, input: Any, p: Any, train: Any) -> bool:
    """dropout(Tensor input, float p, bool train) -> Tensor"""
    exact = os.environ.get("ORTWRAP_DROPOUT", "torch") != "ort"
    return exact and bool(constant_of(train)) and constant_of(p) != 0.0


def _drops_attention(g: Any, query: Any, key: Any, value: Any, *options: Any) -> bool:
    """scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask,
    float dropout_p, bool is_causal, *, float? scale, bool enable_gqa) -> Tensor"""
    return len(options) > 1 and constant_of(options[1]) != 0.0


OPERATORS = (
    *as_torch("dropout", when=_drops, keeps="", random=True),
    *as_torch("feature_dropout alpha_dropout feature_alpha_dropout", keeps="inputs", random=True),
    *as_torch("scaled_dot_product_attention", when=_drops_attention, random=True),
    *as_torch("rrelu rrelu_with_noise", random=True),
    *as_torch("randn randn_like rand rand_like randint randint_like randperm", random=True),
    *as_torch("normal normal_functional bernoulli multinomial binomial poisson", random=True),
    *as_torch("uniform exponential log_normal cauchy geometric random", random=True),
    *as_torch("_standard_gamma _sample_dirichlet", random=True),
)
