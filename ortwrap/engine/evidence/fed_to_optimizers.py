"""`torch.optim.SGD(model.parameters(), lr=0.1)`: the strongest evidence that something trains."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.names.bindings import Bindings


def feeds_optimizer(call: cst.Call, bindings: Bindings) -> bool:
    """What a call gives, such as parameters, is handed to an optimizer in the same statement."""
    for ancestor in bindings.tree.ancestors(call):
        made = bindings.qualified(ancestor.func) if isinstance(ancestor, cst.Call) else None
        if ".optim" in (made or ""):
            return True
        if isinstance(ancestor, cst.BaseStatement):
            return False
    return False
