"""Calls that make a tensor of data: `torch.from_numpy(array)`, or a function that does so."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import calls_in

_CONVERTS = re.compile(r"^torch\.(?:(?:cuda\.)?[A-Z]\w*Tensor|tensor|as_tensor|from_numpy)$")
_COLLECTS = re.compile(r"^numpy\.(?:array|asarray|stack|vstack|hstack|concatenate)$")


def data_of(call: cst.Call, bindings: Bindings) -> cst.BaseExpression | None:
    """What a call makes a tensor or an array of; None if it does something else."""
    name = bindings.qualified(call.func) or ""
    function = bindings.definition(call.func)
    known = _CONVERTS.match(name) or _COLLECTS.match(name)
    converts = known or (
        isinstance(function, cst.FunctionDef) and converts_data(function, bindings)
    )
    return call.args[0].value if converts and call.args else None


def converts_data(function: cst.FunctionDef, bindings: Bindings) -> bool:
    """A function makes a tensor of its first parameter."""
    params = [*function.params.posonly_params, *function.params.params]
    return bool(params) and any(
        _CONVERTS.match(bindings.qualified(call.func) or "") is not None
        and bool(call.args)
        and isinstance(call.args[0].value, cst.Name)
        and call.args[0].value.value == params[0].name.value
        for call in calls_in(function.body)
    )
