"""What the calls of a function give its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

# Methods that run where their object is called, or their class.
_RUN_BY_OBJECTS = frozenset(["__init__", "__call__", "forward"])


def arguments_for(
    function: cst.CSTNode, parameter: str, calls: Iterable[cst.Call]
) -> list[cst.BaseExpression | None]:
    """What each of the calls that run a function gives one parameter; None where it gives none."""
    if not isinstance(function, cst.FunctionDef):
        return []
    return [dict(pair_arguments(function, call)).get(parameter) for call in calls]


def pair_arguments(
    function: cst.FunctionDef, call: cst.Call
) -> Iterator[tuple[str, cst.BaseExpression]]:
    """Parameter names of a function with the arguments that a call gives them."""
    params = [*function.params.posonly_params, *function.params.params]
    names = [param.name.value for param in params]
    bound = isinstance(call.func, cst.Attribute) or function.name.value in _RUN_BY_OBJECTS
    if bound and names[:1] in (["self"], ["cls"]):
        names = names[1:]
    every = {*names, *(param.name.value for param in function.params.kwonly_params)}
    for position, argument in enumerate(call.args):
        if argument.star:
            return
        if argument.keyword is not None:
            if argument.keyword.value in every:
                yield argument.keyword.value, argument.value
        elif position < len(names):
            yield names[position], argument.value
