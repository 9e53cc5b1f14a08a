"""Whether a gradient arrives for a value of a trace: what ONNX Runtime does not ask by itself.

The gradient of ONNX's Split joins the gradients of its pieces and takes a missing one for no piece:
what it gives is too short, or that of other rows. A node that stays a call of torch must name the
outputs that a gradient comes for. A piece may have none although it is used, as the pseudo labels
that are made of half of a batch.
"""

from __future__ import annotations

from typing import Any

from .paths import is_floating, is_tensor, scalar_type
from .readers import LIKE_ANOTHER

_NO_GRADIENT = frozenset(
    f"aten::{name}"
    for name in (
        "detach detach_copy zeros_like ones_like full_like empty_like rand_like randn_like "
        "new_zeros new_ones new_full new_empty"
    ).split()
)
_CONTAINERS = frozenset(["ListType", "TupleType", "OptionalType"])


def gets_gradient(value: Any) -> bool:
    """Whether `value` reaches a result of the trace by operators that gradients flow through.

    Args:
        value: of the trace, before it is exported.
    """
    seen = set()
    waiting = [value]
    while waiting:
        for use in waiting.pop().uses():
            kind = use.user.kind()
            if kind == "prim::Return":
                return True
            if kind in _NO_GRADIENT or (kind in LIKE_ANOTHER and use.offset > 0):
                continue
            for output in use.user.outputs():
                if output.debugName() not in seen and _may_carry(output):
                    seen.add(output.debugName())
                    waiting.append(output)
    return False


def _may_carry(value: Any) -> bool:
    """It is of floating point, or may be, or holds such tensors."""
    if is_tensor(value):
        return is_floating(value) or scalar_type(value) is None
    return value.type().kind() in _CONTAINERS
