"""Spectral norm: the power iteration writes its vectors to buffers in place."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.spectral_norm import SpectralNorm

from . import library
from .registry import as_torch
from .stand_ins import StandIn


def _power_iteration(
    weight: Tensor, u: Tensor, v: Tensor, iterations: int, eps: float
) -> tuple[Tensor, Tensor]:
    """Improves the singular vectors `u` (rows,) and `v` (columns,) in place; returns copies."""
    with torch.no_grad():
        for _ in range(iterations):
            u.copy_(F.normalize(torch.mv(weight, v), dim=0, eps=eps))
            v.copy_(F.normalize(torch.mv(weight.t(), u), dim=0, eps=eps))
    return u.clone(), v.clone()


def _power_iteration_by_columns(
    weight: Tensor, u: Tensor, v: Tensor, iterations: int, eps: float
) -> tuple[Tensor, Tensor]:
    """The same in the order of the older `torch.nn.utils.spectral_norm`."""
    with torch.no_grad():
        for _ in range(iterations):
            v.copy_(F.normalize(torch.mv(weight.t(), u), dim=0, eps=eps))
            u.copy_(F.normalize(torch.mv(weight, v), dim=0, eps=eps))
    return u.clone(), v.clone()


_ARGUMENTS = "(Tensor weight, Tensor(a!) u, Tensor(b!) v, int iterations, float eps)"
library.define(f"power_iteration{_ARGUMENTS} -> (Tensor, Tensor)", _power_iteration)
library.define(
    f"power_iteration_by_columns{_ARGUMENTS} -> (Tensor, Tensor)", _power_iteration_by_columns
)


def _parametrize(module: Any, weight: Tensor) -> Tensor:
    """Stands in for `parametrizations._SpectralNorm.forward`."""
    if weight.ndim == 1:
        return F.normalize(weight, dim=0, eps=module.eps)
    matrix = module._reshape_weight_to_matrix(weight)
    iterations = module.n_power_iterations if module.training else 0
    u, v = torch.ops.ortwrap.power_iteration(
        matrix.detach(), module._u, module._v, iterations, module.eps
    )
    return weight / torch.vdot(u, torch.mv(matrix, v))


def _compute_weight(hook: Any, module: Any, do_power_iteration: bool) -> Tensor:
    """Stands in for `torch.nn.utils.spectral_norm.SpectralNorm.compute_weight`."""
    weight = getattr(module, f"{hook.name}_orig")
    matrix = hook.reshape_weight_to_matrix(weight)
    u, v = torch.ops.ortwrap.power_iteration_by_columns(
        matrix.detach(),
        getattr(module, f"{hook.name}_u"),
        getattr(module, f"{hook.name}_v"),
        hook.n_power_iterations if do_power_iteration else 0,
        hook.eps,
    )
    return torch.as_tensor(weight / torch.dot(u, torch.mv(matrix, v)))


OPERATORS = (
    *as_torch("ortwrap::power_iteration ortwrap::power_iteration_by_columns", keeps=""),
    *as_torch("vdot dot mv"),
)
STAND_INS = (
    StandIn(_SpectralNorm, "forward", _parametrize),
    StandIn(SpectralNorm, "compute_weight", _compute_weight),
)
