"""Whether what ONNX Runtime computed is what eager computed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# Rounding differs between the kernels; these are bounds on one step, relative to the largest
# entry, far below what a wrong graph produces.
_TOLERANCE = {
    torch.float64: 1e-8,
    torch.float32: 1e-3,
    torch.float16: 3e-2,
    torch.bfloat16: 6e-2,
}


def tolerance(dtype: torch.dtype) -> float:
    """The relative difference that rounding may cause in one step."""
    return _TOLERANCE.get(dtype, 0.0)


def difference(ours: Tensor, eager: Tensor, scale: float | None = None) -> str | None:
    """Says in what way `ours` is not the `eager` tensor, None when it is within tolerance.

    Args:
        ours: computed by ONNX Runtime.
        eager: computed by torch.
        scale: what a difference is judged against, at least; for gradients the largest entry
            of all of them, since a gradient that is nearly zero is mostly rounding.
    """
    if ours.shape != eager.shape:
        return f"shape {tuple(ours.shape)}, eager {tuple(eager.shape)}"
    if ours.dtype != eager.dtype:
        return f"dtype {ours.dtype}, eager {eager.dtype}"
    ours, eager = ours.detach(), eager.detach()
    if not eager.is_floating_point():
        return None if torch.equal(ours, eager) else "other values"
    if not torch.equal(ours.isfinite(), eager.isfinite()):
        return "nan or inf where eager has none, or the reverse"
    gap = float((ours - eager).nan_to_num(0, 0, 0).abs().max()) if eager.numel() else 0.0
    largest = float(eager.nan_to_num(0, 0, 0).abs().max()) if eager.numel() else 0.0
    bound = tolerance(eager.dtype) * max(largest, 0.01 * (scale or 0.0), 1e-6)
    return None if gap <= bound else f"differs by {gap:.3g} where eager is {largest:.3g}"


def gradient_difference(
    ours: Sequence[Tensor | None],
    eager: Sequence[Tensor | None],
    names: Sequence[str],
) -> str | None:
    """The first gradient that differs, named, or None."""
    scale = max((_largest(gradient) for gradient in eager if gradient is not None), default=0.0)
    for mine, theirs, name in zip(ours, eager, names):
        if theirs is None:
            if mine is not None:
                return f"gradient of {name}: eager has none"
            continue
        if mine is None:
            return f"gradient of {name}: missing"
        text = difference(mine, theirs, scale)
        if text is not None:
            return f"gradient of {name}: {text}"
    return None


def shares_memory(tensors: Sequence[Tensor | None]) -> bool:
    """Whether two of the tensors lie in the same memory: writing to one would change another."""
    starts = [tensor.data_ptr() for tensor in tensors if tensor is not None and tensor.numel()]
    return len(set(starts)) != len(starts)


def _largest(gradient: Tensor) -> float:
    return float(gradient.detach().nan_to_num(0, 0, 0).abs().max()) if gradient.numel() else 0.0
