"""What libraries give back of what they prepare for training: an engine, or the same in a row."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.names.bindings import Bindings

PREPARERS = frozenset("prepare setup initialize prepare_model setup_module".split())
_ENGINE_LIBRARIES = ("deepspeed", "colossalai")


def engine_library(value: cst.BaseExpression, bindings: Bindings) -> str | None:
    """`deepspeed.initialize(...)` gives an engine first, and an optimizer after it."""
    if not isinstance(value, cst.Call):
        return None
    library, _, name = (bindings.qualified(value.func) or "").partition(".")
    return library if library in _ENGINE_LIBRARIES and name == "initialize" else None


def parallel_sources(value: cst.BaseExpression, count: int) -> list[cst.BaseExpression]:
    """The expressions that a tuple assignment binds to its targets one by one."""
    if isinstance(value, (cst.Tuple, cst.List)) and len(value.elements) == count:
        return [element.value for element in value.elements]
    if not isinstance(value, cst.Call) or not isinstance(value.func, cst.Attribute):
        return []
    prepares = value.func.attr.value in PREPARERS
    return [argument.value for argument in value.args][:count] if prepares else []
