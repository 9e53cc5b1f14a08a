"""Losses without an exporter symbolic or a gradient in ONNX Runtime.

Cross entropy with class indices stays ONNX Runtime's own where its labels can be looked at before
the step: a bad one kills the process there. See also cross_entropy.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from .arguments import constant_of
from .paths import is_floating
from .registry import as_torch
from .stand_ins import StandIn


def _is_torchs(g: Any, input: Any, target: Any, *options: Any) -> bool:
    """cross_entropy_loss(Tensor self, Tensor target, Tensor? weight, int reduction,
    SymInt ignore_index, float label_smoothing): what ONNX Runtime's kernel has no form of, or
    must not see."""
    logits, labels, *_ = g.original_node.inputs()
    if logits.type().dim() == 1:
        # One example without a batch kills the process.
        return True
    label_smoothing = constant_of(options[3]) if len(options) > 3 else 0.0
    if _ALL_IN_TORCH or is_floating(target) or label_smoothing != 0.0:
        return True
    return not are_given(labels)


def are_given(labels: Any) -> bool:
    """Whether labels, a value of torch's trace, are as they were given to the model."""
    node = labels.node()
    while node.kind() in _MOVES:
        node = next(node.inputs()).node()
    return bool(node.kind() == "prim::Param")


# Not empty while every loss is to be torch's.
_ALL_IN_TORCH: list[bool] = []


@contextlib.contextmanager
def all_in_torch() -> Iterator[None]:
    """Exports inside leave cross entropy to torch, which looks at its labels itself."""
    _ALL_IN_TORCH.append(True)
    try:
        yield
    finally:
        _ALL_IN_TORCH.pop()


_MOVES = frozenset(
    f"aten::{name}"
    for name in "view reshape flatten contiguous clone detach to slice select transpose permute t "
    "squeeze unsqueeze pad constant_pad_nd".split()
)


def _broadcast_size(size: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    """What `torch._C._infer_size` returns, of the sizes of a trace too."""
    longer, shorter = (size, other) if len(size) >= len(other) else (other, size)
    aligned = [*[1] * (len(longer) - len(shorter)), *shorter]
    with torch._C.DisableTorchFunction():
        return [one if int(one) != 1 else another for one, another in zip(longer, aligned)]


# torch < 2.10 asks for it before it weighs a binary cross entropy.
STAND_INS = (StandIn(F, "_infer_size", _broadcast_size),) if hasattr(F, "_infer_size") else ()

OPERATORS = (
    *as_torch("cross_entropy_loss", when=_is_torchs, keeps="inputs"),
    *as_torch("nll_loss nll_loss_nd nll_loss2d", keeps="inputs"),
    *as_torch("l1_loss mse_loss smooth_l1_loss huber_loss", keeps="inputs"),
    *as_torch("binary_cross_entropy poisson_nll_loss kl_div", keeps="inputs"),
    # The exporter takes logarithms of sigmoids, which are infinite for logits that are large.
    *as_torch("binary_cross_entropy_with_logits", keeps="inputs"),
    *as_torch("margin_ranking_loss hinge_embedding_loss cosine_embedding_loss", keeps="inputs"),
    *as_torch("soft_margin_loss multi_margin_loss multilabel_margin_loss", keeps="inputs"),
    *as_torch("triplet_margin_loss", keeps="inputs"),
    *as_torch("ctc_loss _ctc_loss"),
)
