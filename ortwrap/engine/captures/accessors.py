"""Properties and `__getitem__` of this file that change something each time they are read."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.names.bindings import Binding, Bindings
from ortwrap.engine.text.nodes import descendants


def reads_with_effect(node: cst.CSTNode, bindings: Bindings) -> bool:
    """Evaluating the expression once is not the same as evaluating it twice."""
    names = {function.name.value for function in _accessors(bindings)}
    if not names:
        return False
    return any(
        (isinstance(inner, cst.Attribute) and inner.attr.value in names)
        or (isinstance(inner, cst.Subscript) and "__getitem__" in names)
        for inner in descendants(node)
    )


def _accessors(bindings: Bindings) -> list[cst.FunctionDef]:
    """Those whose body changes their instance, or a name outside of them."""
    tree = bindings.tree
    found = []
    for function in tree.functions:
        decorators = {tree.code(item.decorator) for item in function.decorators}
        accessor = function.name.value == "__getitem__" or "property" in decorators
        if accessor and tree.enclosing_class(function) is not None:
            names = bindings.scope(function).names
            changes = EffectsReader(bindings, function).of(function.body).changes
            if any(_is_given(place, names) for place in changes):
                found.append(function)
    return found


def _is_given(place: str, names: dict[str, list[Binding]]) -> bool:
    """A parameter, something of the instance, or a name from outside of the function."""
    return (
        any(binding.kind == "parameter" for binding in names.get(place, [])) or place not in names
    )
