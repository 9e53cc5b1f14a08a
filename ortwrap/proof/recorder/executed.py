"""Reads off a loss's autograd graph who computed it."""

from __future__ import annotations

from collections import deque
from typing import Any

import torch

_ORT_NODE = "ORTModuleFunction"
_SEARCHED_NODES = 20_000
# Nodes that rescale, cast or pick a loss; a loss that only these separate from ONNX Runtime
# was computed inside the exported graph.
_CARRIERS = frozenset(
    {
        "DivBackward0",
        "MulBackward0",
        "ViewBackward0",
        "ReshapeAliasBackward0",
        "UnsafeViewBackward0",
        "SqueezeBackward0",
        "SqueezeBackward1",
        "UnsqueezeBackward0",
        "SelectBackward0",
        "AliasBackward0",
        "CloneBackward0",
        "ToCopyBackward0",
        "NegBackward0",
        "AddBackward0",
        "SubBackward0",
        "CompiledFunctionBackward",
    }
)


def ran_on_ort(loss: torch.Tensor) -> bool:
    """Whether an ORTModule call stands anywhere in the history of `loss`."""
    return _search(loss.grad_fn, through_everything=True)


def loss_computed_in_graph(loss: torch.Tensor) -> bool:
    """Whether `loss` came out of an ORTModule call, apart from scaling and adding."""
    return _search(loss.grad_fn, through_everything=False)


def _search(start: Any, *, through_everything: bool) -> bool:
    queue = deque([start] if start is not None else [])
    seen = set(queue)
    while queue and len(seen) < _SEARCHED_NODES:
        node = queue.popleft()
        name = node.name()
        if _ORT_NODE in name:
            return True
        if not through_everything and name not in _CARRIERS:
            continue
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                queue.append(following)
    return False
