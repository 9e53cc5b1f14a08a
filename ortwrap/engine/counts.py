"""How many elements a tensor has, as NumPy counts them: a number of its shape, not its values."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.bindings import Bindings

_PRODUCTS = frozenset("numpy.prod numpy.product math.prod".split())


def counts_elements(node: cst.CSTNode, bindings: Bindings) -> bool:
    """`np.prod(x.size())`, `np.prod(x.shape).item()`."""
    if not isinstance(node, cst.Call):
        return False
    func = node.func
    if isinstance(func, cst.Attribute) and func.attr.value == "item" and not node.args:
        return counts_elements(func.value, bindings)
    product = bindings.qualified(func) in _PRODUCTS and len(node.args) == 1
    return product and _is_shape(node.args[0].value)


def _is_shape(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Call):
        func = node.func
        return isinstance(func, cst.Attribute) and func.attr.value == "size" and not node.args
    return isinstance(node, cst.Attribute) and node.attr.value == "shape"
