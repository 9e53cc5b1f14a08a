"""Pooling whose gradient ONNX Runtime lacks, or that its exporter only knows for fixed sizes."""

from __future__ import annotations

import math
from typing import Any, Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules import pooling as _pooling
from torch.nn.modules import utils as _utils

from .paths import traced_sizes
from .registry import as_torch
from .stand_ins import StandIn


def _unpool_output_size(
    input: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> list[Any]:
    """Stands in for torch's, which looks whether the size fits: in eager it did."""
    rank = len(kernel_size)
    if output_size is not None:
        return list(output_size)[-rank:]
    return [
        (input.size(axis - rank) - 1) * stride[axis] + kernel_size[axis] - 2 * padding[axis]
        for axis in range(rank)
    ]


def _single(size: Any) -> tuple[Any, ...]:
    """Stands in for torch's, which looks into a size for several."""
    return (size,) if isinstance(size, Tensor) and not size.dim() else _utils._single(size)


def lp_pool(rank: int) -> Callable[..., Tensor]:
    """What `F.lp_pool1d` and the others return, with windows that may be sizes of the batch."""
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[rank - 1]

    def over(size: Any) -> Any:
        return [size] * rank if isinstance(size, (int, Tensor)) else size

    def pooled(
        input: Tensor,
        norm_type: float,
        kernel_size: Any,
        stride: Any = None,
        ceil_mode: bool = False,
    ) -> Tensor:
        window = over(kernel_size)
        mean = pool(input.pow(norm_type), window, over(stride), 0, ceil_mode)
        total = (torch.sign(mean) * F.relu(torch.abs(mean))).mul(math.prod(window))
        return total.pow(1.0 / norm_type)

    return pooled


def _is_unbatched(g: Any, *_: Any) -> bool:
    """max_pool2d of one picture, for which the exporter has no answer."""
    return len(traced_sizes(next(g.original_node.inputs())) or ()) == 3


OPERATORS = (
    *as_torch("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d", keeps="inputs"),
    *as_torch("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d"),
    *as_torch("max_pool1d max_pool1d_with_indices max_pool3d max_pool3d_with_indices"),
    *as_torch("max_pool2d_with_indices"),
    *as_torch("max_pool2d", when=_is_unbatched),
    # ORTModule's own call for two dimensions leaves the size of the result open, and a pool over
    # all of a picture then passes for one that is as large as the picture.
    *as_torch("avg_pool1d avg_pool2d avg_pool3d", keeps="inputs"),
    *as_torch("max_unpool2d max_unpool3d fractional_max_pool2d"),
)

STAND_INS = (
    StandIn(F, "_unpool_output_size", _unpool_output_size),
    StandIn(_pooling, "_single", _single),
)
