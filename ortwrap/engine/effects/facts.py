"""What a condition asks of a tensor that is the same at every step of one exported graph."""

from __future__ import annotations

import libcst as cst

_FACTS = frozenset("shape device dtype ndim is_cuda".split())
_ASKS_FOR_FACTS = frozenset("size dim numel len isinstance type hasattr callable is_tensor".split())


def is_fact_of_tensor(node: cst.CSTNode) -> bool:
    """`x.is_cuda`, `x.size(0)`, `len(x)`: of what kind or shape a tensor is."""
    if isinstance(node, cst.Attribute):
        return node.attr.value in _FACTS
    if isinstance(node, cst.Call):
        func = node.func
        name = func.attr.value if isinstance(func, cst.Attribute) else ""
        return (func.value if isinstance(func, cst.Name) else name) in _ASKS_FOR_FACTS
    return False


def asks_for_facts(node: cst.CSTNode) -> bool:
    """The expression gives the kind or the shape of a value, never what is in it."""
    if not isinstance(node, cst.Comparison):
        return is_fact_of_tensor(node)
    return all(
        isinstance(item.operator, (cst.Is, cst.IsNot, cst.In, cst.NotIn))
        for item in node.comparisons
    )
