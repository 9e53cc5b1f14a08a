"""Python numbers that follow from the shape of a tensor, and not from its values."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.names.bindings import Bindings

CASTS = frozenset(["int", "float"])
_ASKS = frozenset("size dim numel".split())
_PRODUCTS = frozenset("numpy.prod numpy.product math.prod".split())


def counts_elements(node: cst.CSTNode, bindings: Bindings) -> bool:
    """`np.prod(x.size())`, `np.prod(x.shape).item()`, `int(x.shape[1])`."""
    if not isinstance(node, cst.Call):
        return False
    func = node.func
    if isinstance(func, cst.Name) and func.value in CASTS and bindings.resolve(func) is None:
        return len(node.args) == 1 and is_size(node.args[0].value, bindings)
    if isinstance(func, cst.Attribute) and func.attr.value == "item" and not node.args:
        return counts_elements(func.value, bindings)
    product = bindings.qualified(func) in _PRODUCTS and len(node.args) == 1
    return product and _is_shape(node.args[0].value)


def is_size(value: cst.CSTNode, bindings: Bindings) -> bool:
    """`x.shape`, `x.size(0)`, `len(x)`, or a part of such a one, cast or not."""
    if isinstance(value, cst.Subscript):
        return is_size(value.value, bindings)
    if isinstance(value, cst.Attribute):
        return value.attr.value == "shape"
    func = value.func if isinstance(value, cst.Call) else None
    if isinstance(func, cst.Attribute) and func.attr.value in _ASKS:
        return True
    if isinstance(func, cst.Name) and func.value == "len":
        return bindings.resolve(func) is None
    return counts_elements(value, bindings)


def _is_shape(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Call):
        func = node.func
        return isinstance(func, cst.Attribute) and func.attr.value == "size" and not node.args
    return isinstance(node, cst.Attribute) and node.attr.value == "shape"
