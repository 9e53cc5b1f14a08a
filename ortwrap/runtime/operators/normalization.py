"""Batch, instance, group and layer normalization."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from . import library
from .arguments import is_none
from .paths import scalar_type
from .registry import as_torch
from .stand_ins import StandIn


def _lacks_affine(
    g: Any, input: Any, groups_or_shape: Any, weight: Any, bias: Any, *_: Any
) -> bool:
    """group_norm(Tensor input, int num_groups, Tensor? weight, Tensor? bias, ...),
    layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, ...):
    ONNX Runtime's kernels want both, and LayerNormalization is float only."""
    return is_none(weight) or is_none(bias) or scalar_type(input) == "Double"


_RUNNING_MEAN = 3

OPERATORS = (
    *as_torch("ortwrap::batch_norm batch_norm instance_norm", keeps="inputs", writes=_RUNNING_MEAN),
    *as_torch("group_norm layer_norm", when=_lacks_affine, keeps="inputs"),
    *as_torch("rms_norm", keeps="inputs"),
)


def _batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    num_batches_tracked: Tensor | None,
    training: bool,
    momentum: float | None,
    eps: float,
) -> Tensor:
    """What `_BatchNorm.forward` does, the counter included, as one operator."""
    factor = 0.0 if momentum is None else momentum
    if num_batches_tracked is not None:
        num_batches_tracked.add_(1)
        if momentum is None:
            factor = 1.0 / float(num_batches_tracked)
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, factor, eps)


library.define(
    "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
    "Tensor? running_var, Tensor? num_batches_tracked, bool training, float? momentum, float eps)"
    " -> Tensor",
    _batch_norm,
    of_autograd=True,
)


def _forward(module: _BatchNorm, input: Tensor) -> Tensor:
    """Stands in for `_BatchNorm.forward`, which needs the counter as a Python number."""
    module._check_input_dim(input)  # type: ignore[no-untyped-call]
    learns_statistics = module.training and module.track_running_stats
    from_batch = module.training or (module.running_mean is None and module.running_var is None)
    statistics = not module.training or module.track_running_stats
    result: Tensor = torch.ops.ortwrap.batch_norm(
        input,
        module.weight,
        module.bias,
        module.running_mean if statistics else None,
        module.running_var if statistics else None,
        module.num_batches_tracked if learns_statistics else None,
        from_batch,
        module.momentum,
        module.eps,
    )
    return result


STAND_INS = (StandIn(_BatchNorm, "forward", _forward),)
