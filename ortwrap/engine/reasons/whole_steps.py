"""Steps that another compiler takes as a whole, with their backward and their update."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.names.reachable import reachable_calls
from ortwrap.engine.text.nodes import descendants

_COMPILERS = frozenset("torch.compile torch.jit.script torch.jit.trace".split())
_CAPTURES = "torch.cuda.graph"


def compiler_of(step: cst.CSTNode, analyses: Analyses) -> cst.CSTNode | None:
    """What compiles or captures the code around a node: `torch.compile` in `torch.compile(step)`.

    A model that is compiled alone is none of this.
    """
    tree, bindings = analyses.tree, analyses.bindings
    for ancestor in tree.ancestors(step):
        for item in ancestor.items if isinstance(ancestor, cst.With) else ():
            call = item.item
            if isinstance(call, cst.Call) and bindings.qualified(call.func) == _CAPTURES:
                return call.func
    for compiler, function in _compiled(analyses):
        if function in tree.ancestors(step) or _runs(function, tree.enclosing(step), analyses):
            return compiler
    return None


def _compiled(analyses: Analyses) -> Iterator[tuple[cst.CSTNode, cst.FunctionDef]]:
    """Functions of this file that are compiled, each with what compiles it."""
    for function in analyses.tree.functions:
        for item in function.decorators:
            call = item.decorator
            func = call.func if isinstance(call, cst.Call) else call
            if analyses.bindings.qualified(func) in _COMPILERS:
                yield func, function
    for call in analyses.tree.calls:
        if analyses.bindings.qualified(call.func) in _COMPILERS and call.args:
            for function in _functions_of(call.args[0].value, analyses):
                yield call.func, function


def _functions_of(value: cst.BaseExpression, analyses: Analyses) -> Iterator[cst.FunctionDef]:
    """The function that an expression names, or that the call of a factory returns."""
    if isinstance(value, cst.Call):
        factory = analyses.helpers.called(value.func)
        for node in descendants(factory.body) if factory is not None else ():
            if isinstance(node, cst.Return) and isinstance(node.value, cst.Name):
                yield from _functions_of(node.value, analyses)
        return
    function = analyses.helpers.called(value)
    if function is not None:
        yield function
    elif isinstance(value, cst.Name):
        # `step = torch.compile(step)`: the name has been the function's.
        for binding in analyses.bindings.lookup(value):
            if isinstance(binding.node, cst.FunctionDef):
                yield binding.node


def _runs(function: cst.FunctionDef, other: cst.CSTNode, analyses: Analyses) -> bool:
    calls = reachable_calls(function.body, analyses)
    return any(analyses.helpers.called(call.func) is other for call in calls)
