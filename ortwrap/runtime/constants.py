"""Results that are the same for every batch: `labels = torch.zeros(rows)`, a term that is off.

ONNX Runtime folds them into the graph before it makes the gradients, and then does not find what
computed them. So the graph is told that they depend on something that enters it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# What these give depends on the sizes of what they are given at most, and sizes are folded too.
_OF_SIZES_ALONE = frozenset(
    f"aten::{name}"
    for name in (
        "size sym_size numel zeros_like ones_like full_like empty_like "
        "new_zeros new_ones new_full new_empty"
    ).split()
)


def kept_apart(outputs: list[Tensor], tensors: tuple[Tensor, ...], wrapper: nn.Module) -> None:
    """Makes those of the traced `outputs` that are constants depend on what enters the trace.

    Args:
        outputs: tensors of the trace that goes on, if one does; changed in place.
        tensors: the arguments.
        wrapper: the module that is traced, whose parameters enter it as well.
    """
    if torch._C._get_tracing_state() is None:
        return
    constant = [index for index, output in enumerate(outputs) if _is_constant(output)]
    entered = next(iter((*tensors, *wrapper.parameters())), None) if constant else None
    if entered is None:
        return
    # Whatever that first element is: both branches are the constant.
    either = entered.detach().reshape(-1)[0] == 0
    for index in constant:
        outputs[index] = torch.where(either, outputs[index], outputs[index])


def _is_constant(output: Tensor) -> bool:
    if output.requires_grad:
        return False
    seen: set[str] = set()
    waiting: list[Any] = [torch._C._get_value_trace(output)]  # type: ignore[attr-defined]
    while waiting:
        node = waiting.pop().node()
        if node.kind() in ("prim::Param", "prim::GetAttr"):
            return False
        if node.kind() in _OF_SIZES_ALONE:
            continue
        for value in node.inputs():
            if value.debugName() not in seen:
                seen.add(value.debugName())
                waiting.append(value)
    return True
