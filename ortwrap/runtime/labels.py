"""Label sparsity, and the batches of labels on which ONNX Runtime's loss kernel would die."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Optional

import torch
from torch import Tensor, nn

from .witness import LabelUse, mark_copy

# Above this share of valid labels the gather costs more than it saves.
DENSE = 0.9


@dataclass(frozen=True)
class LabelBatch:
    """What the labels of one batch are like.

    Attributes:
        valid: how many count, of the loss that has the fewest.
        density: the share that counts, over all losses; None without labels.
        out_of_range: one is neither a class nor ignored.
    """

    valid: int
    density: Optional[float]
    out_of_range: bool

    @property
    def sparse(self) -> bool:
        """Whether gathering the valid labels first is worth it."""
        return self.density is not None and self.density < DENSE

    def objection(self, gathered: bool) -> Optional[str]:
        """Why this batch must not reach ORT's kernel, None when it may.

        Args:
            gathered: whether the graph gathers the valid labels first.
        """
        if self.out_of_range:
            return "labels out of range"
        if self.valid < (2 if gathered else 1):
            return "fewer valid labels than the kernel needs"
        return None


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
        chosen = labels[labels != use.ignore_index]
        valid += chosen.numel()
        total += labels.numel()
        # Labels that forward cuts off may be the valid ones.
        fewest = min(fewest, chosen.numel() - round((1 - use.kept) * labels.numel()))
        if chosen.numel():
            lowest, highest = torch.aminmax(chosen)
            out_of_range = out_of_range or int(lowest) < 0 or int(highest) >= use.classes
    if not total:
        return _NO_LABELS
    return LabelBatch(fewest, valid / total, out_of_range)


def seems_sparse(ignored: Sequence[int], tensors: Sequence[Tensor]) -> bool:
    """Guesses, before a trace has shown which argument holds labels, whether they are sparse.

    Args:
        ignored: the labels that do not count, of every cross entropy of the step.
        tensors: the tensor arguments of the call.
    """
    integers = [tensor for tensor in tensors if tensor.dtype is torch.int64]
    return any(density(tensor, index) < DENSE for tensor in integers for index in ignored)


def density(labels: Tensor, ignore_index: int) -> float:
    """The share of `labels` that count; 1.0 for none at all."""
    total = labels.numel()
    return int((labels != ignore_index).sum()) / total if total else 1.0


@contextlib.contextmanager
def sparsity(enabled: bool) -> Iterator[None]:
    """Decides, instead of ORTModule, whether graphs exported inside gather the valid labels.

    ORTModule decides by the labels of the first batch, for positional arguments only.
    """
    from onnxruntime.training.ortmodule._graph_transition_manager import GraphTransitionManager

    theirs = GraphTransitionManager._add_check_label_sparsity_hook
    ours = partial(_mark_labels, enabled)
    GraphTransitionManager._add_check_label_sparsity_hook = staticmethod(ours)
    try:
        yield
    finally:
        GraphTransitionManager._add_check_label_sparsity_hook = staticmethod(theirs)


def _mark_labels(
    enabled: bool, enable_optimizer: bool, logger: Any, inspector: Any, flattened: nn.Module
) -> list[Any]:
    """Stands in for ORTModule's own hook; same arguments."""
    if not (enabled and enable_optimizer):
        return []
    return [
        module.register_forward_pre_hook(_flag(name, inspector), with_kwargs=True)
        for name, module in flattened.named_modules()
        if isinstance(module, nn.CrossEntropyLoss)
    ]


def _flag(name: str, inspector: Any) -> Callable[..., Any]:
    """A hook that puts the mark on labels which ORT's graph transformer looks for."""
    from onnxruntime.training.ortmodule._runtime_inspector import FlagAndPrintDensity

    def hook(module: nn.CrossEntropyLoss, args: Any, kwargs: Any) -> Any:
        named = dict(zip(("input", "target"), args), **kwargs)
        labels = named["target"]
        if labels.is_floating_point():
            return None
        with torch._C.DisableTorchFunction():
            marked = FlagAndPrintDensity.apply(labels, module.ignore_index, "label")
            share = density(labels, module.ignore_index)
        mark_copy(marked, labels)
        inspector._sceloss_module_to_ignore_density_map[name] = share * 100
        named["target"] = marked
        return (named["input"], named["target"]), {}

    return hook
