"""Numbers that a function is given as such.

def noise(self, batch_size):
    return torch.randn(int(batch_size), self.latent_dim)

self.generator(self.noise(len(images)))
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.evidence.counts import CASTS, is_size
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.arguments import arguments_for
from ortwrap.engine.names.bindings import Bindings


def casts_a_count(
    node: cst.CSTNode,
    function: cst.FunctionDef,
    calls: list[cst.Call],
    bindings: Bindings,
    modules: ModuleTable,
) -> bool:
    """`int(batch_size)` of a parameter of `function` for which every one of `calls` has a size."""
    if not isinstance(node, cst.Call) or len(node.args) != 1:
        return False
    func, value = node.func, node.args[0].value
    casts = isinstance(func, cst.Name) and func.value in CASTS and bindings.resolve(func) is None
    if not casts or not isinstance(value, cst.Name):
        return False
    scope = bindings.scope(function)
    bound = scope.names.get(value.value, [])
    if bindings.resolve(value) is not scope or [each.kind for each in bound] != ["parameter"]:
        return False
    given = arguments_for(function, value.value, calls)
    return bool(given) and all(_is_count(argument, bindings, modules) for argument in given)


def _is_count(
    argument: cst.BaseExpression | None, bindings: Bindings, modules: ModuleTable
) -> bool:
    if isinstance(argument, cst.Name):
        values = modules.all_values(argument)
        return bool(values) and all(is_size(value, bindings) for value in values or ())
    return argument is not None and (
        isinstance(argument, cst.Integer) or is_size(argument, bindings)
    )
