"""Losses without an exporter symbolic or a gradient in ONNX Runtime.

Cross entropy with class indices stays ONNX Runtime's own: label sparsity needs its operator.
"""

from __future__ import annotations

from typing import Any

from .arguments import constant_of
from .paths import is_floating
from .registry import as_torch


def _is_smoothed_or_soft(g: Any, input: Any, target: Any, *options: Any) -> bool:
    """cross_entropy_loss(Tensor self, Tensor target, Tensor? weight, int reduction,
    SymInt ignore_index, float label_smoothing): what ONNX Runtime's kernel has no form of."""
    label_smoothing = constant_of(options[3]) if len(options) > 3 else 0.0
    return is_floating(target) or label_smoothing != 0.0


OPERATORS = (
    *as_torch("cross_entropy_loss", when=_is_smoothed_or_soft, keeps="inputs"),
    *as_torch("nll_loss nll_loss_nd nll_loss2d", keeps="inputs"),
    *as_torch("l1_loss mse_loss smooth_l1_loss huber_loss", keeps="inputs"),
    *as_torch("binary_cross_entropy poisson_nll_loss kl_div", keeps="inputs"),
    *as_torch("margin_ranking_loss hinge_embedding_loss cosine_embedding_loss", keeps="inputs"),
    *as_torch("soft_margin_loss multi_margin_loss multilabel_margin_loss", keeps="inputs"),
    *as_torch("triplet_margin_loss", keeps="inputs"),
    *as_torch("ctc_loss _ctc_loss"),
)
