"""The values that a name may have: what is assigned to it, and what callers pass for it."""

from __future__ import annotations

from typing import Callable

import libcst as cst

from ortwrap.engine.names.arguments import arguments_for
from ortwrap.engine.names.bindings import Bindings


def with_arguments(
    name: cst.Name,
    values: list[cst.BaseExpression],
    bindings: Bindings,
    constructor: Callable[[cst.ClassDef], cst.FunctionDef | None],
) -> list[cst.BaseExpression] | None:
    """What is assigned to a name, and what callers pass for it; None where some are not known.

    Args:
        name: where it is read.
        values: what is assigned to it.
        bindings: the names of the script.
        constructor: of a class of the script.
    """
    bound = bindings.lookup(name)
    parameters = [binding for binding in bound if binding.kind == "parameter"]
    if len(bound) != len(values) + len(parameters):
        return None
    found = list(values)
    for parameter in parameters:
        function = bindings.tree.enclosing(parameter.node)
        home = bindings.tree.enclosing_class(function)
        constructs = home is not None and constructor(home) is function
        calls = bindings.calls_of(home if home and constructs else function)
        given = arguments_for(function, name.value, calls)
        if not given or None in given:
            return None
        found += filter(None, given)
    return found
