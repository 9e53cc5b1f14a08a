"""Batches of labels on which ONNX Runtime's own loss kernel would kill the process."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .testimony import LabelUse


@dataclass(frozen=True)
class LabelBatch:
    """What the labels of one batch are like.

    Attributes:
        valid: how many count, of the loss that has the fewest.
        density: the share that counts, over all losses; None without labels.
        out_of_range: one is neither a class nor ignored.
        total: how many there are, over all losses; 0 where some cannot be looked at.
    """

    valid: int
    density: float | None
    out_of_range: bool
    total: int = 0

    def density_without(self, left_out: int) -> float | None:
        """The share that counts when so many of those that do are left out by masks."""
        if self.density is None or not self.total:
            return self.density
        return self.density - left_out / self.total

    @property
    def objection(self) -> str | None:
        """Why this batch must not reach ORT's kernel, None when it may."""
        if self.out_of_range:
            return "labels out of range"
        return "no label that counts" if self.valid < 1 else None


_NO_LABELS = LabelBatch(valid=sys.maxsize, density=None, out_of_range=False)


def look_at(uses: Sequence[LabelUse], tensors: Sequence[Tensor]) -> LabelBatch:
    """Looks at the labels of a batch before ONNX Runtime does.

    Args:
        uses: the cross entropies of a trace.
        tensors: the tensor arguments of the call.
    """
    fewest, valid, total, out_of_range = sys.maxsize, 0, 0, False
    for use in uses:
        if use.source is None:
            continue
        labels = tensors[use.source].detach()
        count, fits = _look(labels, use)
        valid += count
        total += labels.numel()
        # Labels that forward cuts off may be the valid ones.
        fewest = min(fewest, count - round((1 - use.kept) * labels.numel()))
        out_of_range = out_of_range or not fits
    if not total:
        return _NO_LABELS
    seen = all(use.source is not None for use in uses)
    return LabelBatch(fewest, valid / total, out_of_range, total if seen else 0)


def _look(labels: Tensor, use: LabelUse) -> tuple[int, bool]:
    """How many labels count, and whether all of these are classes."""
    count = labels.numel()
    lowest, highest = (int(label) for label in torch.aminmax(labels))
    if lowest <= use.ignore_index <= highest:
        chosen = labels[labels != use.ignore_index]
        count = chosen.numel()
        if not count:
            return 0, True
        lowest, highest = (int(label) for label in torch.aminmax(chosen))
    return count, lowest >= 0 and highest < use.classes


@contextlib.contextmanager
def without_own_sparsity() -> Iterator[None]:
    """Keeps ORTModule from deciding on label sparsity.

    It decides by the first batch, for submodules called with positional arguments only.
    """
    from onnxruntime.training.ortmodule._graph_transition_manager import GraphTransitionManager

    theirs = GraphTransitionManager._add_check_label_sparsity_hook
    GraphTransitionManager._add_check_label_sparsity_hook = staticmethod(_no_hooks)
    try:
        yield
    finally:
        GraphTransitionManager._add_check_label_sparsity_hook = staticmethod(theirs)


def _no_hooks(*arguments: Any) -> list[Any]:
    return []
