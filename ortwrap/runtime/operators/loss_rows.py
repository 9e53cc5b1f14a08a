"""Cross entropy of class indices, on the rows that count: what the nodes of a graph call."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Logits of one chunk: few enough to stay in the cache from the first to the last touch.
_CHUNK = 2**20


def valid_rows(target: Tensor, sizes: Tensor, ignore_index: int) -> Tensor:
    """The positions, in the flattened labels, of those that count; of the first if none does.

    ONNX Runtime's kernels divide by the number of rows: there is always one.

    Args:
        target: every label.
        sizes: of what the last layer gets, in rows.
        ignore_index: the label that does not count.

    Raises:
        ValueError: there is not one label for each row.
    """
    if target.numel() != int(sizes[0]):
        raise ValueError(f"{target.numel()} labels for {int(sizes[0])} rows")
    (rows,) = torch.where(target.reshape(-1) != ignore_index)
    return rows if rows.numel() else rows.new_zeros(1)


def counting_rows(target: Tensor, sizes: Tensor, factors: Tensor, ignore_index: int) -> Tensor:
    """The valid rows, without those whose loss is taken times nothing.

    Where all of them are, none is left out: a mean over none is 0 / 0, and so is each gradient.

    Args:
        target: every label.
        sizes: of what the last layer gets, in rows.
        factors: what the loss of each is multiplied with, or whether it is chosen.
        ignore_index: the label that does not count.

    Raises:
        ValueError: there is not one label for each row.
    """
    valid = valid_rows(target, sizes, ignore_index)
    if factors.numel() != target.numel():
        return valid
    rows = valid[factors.reshape(-1)[valid] != 0]
    if not rows.numel():
        return valid
    if _OBSERVERS:
        _OBSERVERS[-1].append(valid.numel() - rows.numel())
    return rows


_OBSERVERS: list[list[int]] = []


@contextlib.contextmanager
def rows_left_out() -> Iterator[list[int]]:
    """Yields a list of how many valid rows were left out, one number for each choice inside."""
    _OBSERVERS.append([])
    try:
        yield _OBSERVERS[-1]
    finally:
        _OBSERVERS.pop()


def cross_entropy(
    logits: Tensor,
    target: Tensor,
    rows: Tensor | None,
    weight: Tensor | None,
    reduction: str,
    ignore_index: int,
) -> Tensor:
    """`F.cross_entropy`, given the logits of some rows only.

    Args:
        logits: (rows, classes).
        target: every label, of any shape.
        rows: which of the flattened labels the logits belong to; None for all.
        weight: of each class.
        reduction: "none", "mean" or "sum".
        ignore_index: the label that does not count; nor does any outside of `rows`.

    Raises:
        IndexError: a label is neither a class nor ignored.
    """
    labels = target.reshape(-1)
    ignored = labels == ignore_index
    labels = labels.masked_fill(ignored, 0)
    # Those of rows that were left out too, as eager does.
    _check_range(labels, logits.shape[1])
    if rows is not None:
        labels, ignored = labels[rows], ignored[rows]
    scale = logits.new_ones(labels.shape) if weight is None else weight.detach()[labels]
    scale = scale.masked_fill(ignored, 0)
    none_counts = bool(ignored.all())
    if reduction == "mean" and not none_counts:
        scale = scale / scale.sum()
    losses: Tensor = _ScaledLosses.apply(logits, labels, scale)  # type: ignore[no-untyped-call]
    losses = losses.masked_fill(ignored, 0)
    if reduction != "none":
        # As eager has it: the mean of nothing is not a number, its gradient is zero.
        return losses.sum() + (math.nan if reduction == "mean" and none_counts else 0.0)
    if rows is None:
        return losses.view(target.shape)
    return losses.new_zeros(target.numel()).index_put((rows,), losses).view(target.shape)


def _check_range(labels: Tensor, classes: int) -> None:
    if not labels.numel():
        return
    lowest, highest = map(int, torch.aminmax(labels))
    if lowest < 0 or highest >= classes:
        raise IndexError(f"Target {lowest if lowest < 0 else highest} is out of bounds.")


class _ScaledLosses(torch.autograd.Function):
    """The loss of each row times its scale; makes the gradient of the logits beside it.

    Chunk by chunk, so that the logits are read once from memory and the gradient written once.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, scale: Tensor) -> Tensor:
        gradient = torch.empty_like(logits)
        losses = logits.new_empty(labels.shape)
        size = max(1, _CHUNK // logits.shape[1])
        columns, factors = labels.unsqueeze(1), scale.unsqueeze(1)
        for start in range(0, len(labels), size):
            rows = slice(start, start + size)
            given, made = logits[rows], gradient[rows]
            torch.softmax(given, 1, out=made)
            # The largest probability is 1 / sum(exp(x - max)): nothing is lost by its logarithm.
            normaliser = given.amax(1) - made.amax(1).log()
            losses[rows] = normaliser - given.gather(1, columns[rows]).squeeze(1)
            made.mul_(factors[rows]).scatter_add_(1, columns[rows], -factors[rows])
        ctx.gradient = gradient
        return losses.mul_(scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        gradient, ctx.gradient = ctx.gradient, None
        # A loss that is trained as it is has ones: touching all of it again would be for nothing.
        if gradient.is_cuda or not bool((upstream == 1).all()):
            gradient.mul_(upstream.unsqueeze(1))
        return gradient, None, None
