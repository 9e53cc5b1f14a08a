"""Arguments that the function they are given to never looks at."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import defined_elsewhere
from ortwrap.engine.text.nodes import loaded_names

_READ_EVERYTHING = frozenset("locals eval exec vars".split())


def is_unread(
    argument: cst.BaseExpression,
    call: cst.Call,
    helper: cst.FunctionDef | None,
    bindings: Bindings,
) -> bool:
    """`inputs = prepare(batch, model)`, whose `prepare` takes a model and makes no use of it.

    Args:
        argument: what is given.
        call: the call that gives it.
        helper: the function of this file that is called, if it is one.
        bindings: of this file.
    """
    elsewhere = defined_elsewhere(call.func, bindings) if helper is None else None
    function = helper if elsewhere is None else elsewhere.node
    if not isinstance(function, cst.FunctionDef) or function.decorators:
        return False
    names = [name for name, given in pair_arguments(function, call) if given is argument]
    read = set(loaded_names(function.body))
    return bool(names) and not read.intersection(names) and not read & _READ_EVERYTHING
