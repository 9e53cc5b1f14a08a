"""Whether what ONNX Runtime computed is what eager computed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Callable

import torch
from torch import Tensor

# Rounding differs between the kernels; these are bounds on one step, relative to the largest
# entry, far below what a wrong graph produces.
_TOLERANCE = {
    torch.float64: 1e-8,
    torch.float32: 1e-4,
    torch.float16: 3e-2,
    torch.bfloat16: 6e-2,
}
# The most that is put down to rounding in a graph that is proved in double precision, as a share of
# the norm, where eager itself moves as far: a unit that rounding puts on the other side of a ReLU,
# and BatchNorm behind it, make this much of the last bit.
MOST_ROUNDED = 0.1


Size = Callable[[Tensor], float]


@dataclass(frozen=True)
class Results:
    """What one call of a step computed and left behind.

    Attributes:
        outputs: the tensors that it returned.
        gradients: of every leaf, None where there is none.
        buffers: the values of the buffers after it.
        names: of the leaves.
    """

    outputs: Sequence[Tensor]
    gradients: Sequence[Tensor | None]
    buffers: Sequence[Tensor]
    names: Sequence[str]

    def rows(self) -> Iterator[tuple[str, Tensor | None]]:
        """Everything in it with a name to show to the user."""
        for index, output in enumerate(self.outputs):
            yield f"output {index}", output
        for name, gradient in zip(self.names, self.gradients):
            yield f"gradient of {name}", gradient
        for index, buffer in enumerate(self.buffers):
            yield f"buffer {index}", buffer


def results_difference(ours: Results, eager: Results, rounding: float = 0.0) -> str | None:
    """Says in what way `ours` is not `eager`, None when rounding explains the difference.

    Args:
        ours: computed by ONNX Runtime.
        eager: computed by torch.
        rounding: how far rounding goes, as a share of the norm; 0 if that was not looked into.
    """
    floors = _floors(eager, rounding > 0)
    least, size = _least_precision(eager), _norm if rounding > 0 else _largest
    for (name, value), (_, reference) in zip(ours.rows(), eager.rows()):
        if reference is None or value is None:
            if reference is not value:
                return f"{name}: {'eager has none' if reference is None else 'missing'}"
            continue
        at_least = floors.get(name.split(" ", 1)[0], 0.0)
        share = max(_TOLERANCE.get(reference.dtype, 0.0), least, rounding)
        text = _other_kind(value, reference) or _beyond(value, reference, at_least, share, size)
        if text is not None:
            return f"{name}: {text}"
    return None


def share_apart(one: Results, other: Results) -> float:
    """How far two eager runs lie apart: the largest difference, as a share of the norm."""
    floors = _floors(other, by_norm=True)
    shares = [0.0]
    for (name, value), (_, reference) in zip(one.rows(), other.rows()):
        if value is None or reference is None or not reference.is_floating_point():
            continue
        at_least = floors.get(name.split(" ", 1)[0], 0.0)
        shares.append(_norm(value - reference) / max(_norm(reference), at_least, 1e-6))
    return max(shares)


def counts_differ(one: Results, other: Results) -> bool:
    """Whether two eager runs return other integers or truth values."""
    pairs = zip(one.outputs, other.outputs)
    return any(
        not right.is_floating_point() and not torch.equal(left, right) for left, right in pairs
    )


def _floors(eager: Results, by_norm: bool) -> dict[str, float]:
    """What a difference is judged against, at least.

    A gradient that is nearly zero beside the others is mostly rounding, and so is the mean of what
    a BatchNorm has just centred.
    """
    size = _norm if by_norm else _largest
    floors = {"gradient": 0.01 * _extent(eager.gradients, size)}
    if by_norm:
        floors["buffer"] = 0.01 * _extent(eager.buffers, size)
    return floors


def _extent(tensors: Sequence[Tensor | None], size: Size) -> float:
    """The size of the largest of the floating tensors."""
    sizes = [size(one) for one in tensors if one is not None and one.is_floating_point()]
    return max(sizes, default=0.0)


def _other_kind(ours: Tensor, eager: Tensor) -> str | None:
    """What differs besides rounding."""
    if ours.shape != eager.shape:
        return f"shape {tuple(ours.shape)}, eager {tuple(eager.shape)}"
    if ours.dtype != eager.dtype:
        return f"dtype {ours.dtype}, eager {eager.dtype}"
    if not eager.is_floating_point():
        return None if torch.equal(ours, eager) else "other values"
    if not torch.equal(ours.isfinite(), eager.isfinite()):
        return "nan or inf where eager has none, or the reverse"
    return None


def _least_precision(eager: Results) -> float:
    """What is rounding for the coarsest type in it that is trained.

    A loss in double precision of what single precision computes is no more exact than that.
    """
    trained = (one.dtype for one in eager.gradients if one is not None)
    return max([_TOLERANCE.get(dtype, 0.0) for dtype in trained], default=0.0)


def _beyond(ours: Tensor, eager: Tensor, at_least: float, share: float, size: Size) -> str | None:
    """How far apart they lie, if that is more than a share of what `size` measures."""
    if not eager.is_floating_point():
        return None
    gap, extent = size(ours.detach() - eager.detach()), size(eager)
    if gap <= share * max(extent, at_least, 1e-6):
        return None
    return f"differs by {gap:.3g} where eager is {extent:.3g}"


def _largest(tensor: Tensor) -> float:
    return _of_the_finite(tensor, math.inf) if tensor.numel() else 0.0


def _norm(tensor: Tensor) -> float:
    return _of_the_finite(tensor, 2)


def _of_the_finite(tensor: Tensor, order: float) -> float:
    """The norm of the entries that are numbers."""
    # Parameters are large: without a copy of them where that will do.
    norm = float(torch.linalg.vector_norm(tensor.detach(), order))
    if math.isfinite(norm):
        return norm
    return float(torch.linalg.vector_norm(tensor.detach().nan_to_num(0, 0, 0), order))
