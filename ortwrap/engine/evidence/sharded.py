"""Modules that a call shards over processes as they are: FSDP2."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.evidence.kinds import Evidence
from ortwrap.engine.names.bindings import Bindings

SHARDED = Evidence("engine", "is sharded by `fully_shard`", 3)
_SHARDS = "fully_shard"


def sharded_by(call: cst.Call, bindings: Bindings) -> cst.BaseExpression | None:
    """What `fully_shard(model)` of PyTorch, or a model's own method of that name, shards."""
    qualified = bindings.qualified(call.func)
    if qualified is not None:
        shards = qualified.startswith("torch.") and qualified.endswith(f".{_SHARDS}")
        return call.args[0].value if shards and call.args else None
    func = call.func
    by_method = isinstance(func, cst.Attribute) and func.attr.value == _SHARDS
    return cst.ensure_type(func, cst.Attribute).value if by_method else None
