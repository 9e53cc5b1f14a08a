"""`accelerator.unwrap_model(unet).config.in_channels`: a fact about a module, behind its wrappers.

Such a read runs nothing and is the same at every step, wherever it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import calls_in, descendants

if TYPE_CHECKING:
    from ortwrap.engine.evidence.modules import ModuleTable

_FACTS = frozenset("config dtype device".split())
_MAKERS = ("accelerate.Accelerator", "accelerate.accelerator.Accelerator")


def is_fact(node: cst.CSTNode, bindings: Bindings, modules: ModuleTable) -> bool:
    """The expression reads a configuration, dtype or device of a module, wrapped or not."""
    if not isinstance(node, cst.Attribute) or node.attr.value not in _FACTS:
        return False
    owner = node.value
    return modules.is_trainable(owner) or is_unwrapping(owner, bindings, modules)


def is_unwrapping(node: cst.CSTNode, bindings: Bindings, modules: ModuleTable) -> bool:
    """The call gives the module that it is given, without what stands around it."""
    if not isinstance(node, cst.Call) or not node.args:
        return False
    if not modules.is_trainable(node.args[0].value):
        return False
    defined = bindings.definition(node.func)
    if isinstance(defined, cst.FunctionDef):
        return _only_unwraps(defined, bindings, modules)
    return _is_of_accelerator(node.func, modules, bindings)


def _is_of_accelerator(func: cst.CSTNode, modules: ModuleTable, bindings: Bindings) -> bool:
    if not isinstance(func, cst.Attribute) or func.attr.value != "unwrap_model":
        return False
    made = modules.values(func.value)
    return bool(made) and all(
        isinstance(value, cst.Call) and bindings.qualified(value.func) in _MAKERS for value in made
    )


def _only_unwraps(function: cst.FunctionDef, bindings: Bindings, modules: ModuleTable) -> bool:
    """A function of this file that asks Accelerate, and questions about the kind of the module."""
    calls = list(calls_in(function.body))
    asked = {
        call
        for node in descendants(function.body)
        if isinstance(node, (cst.If, cst.IfExp))
        for call in descendants(node.test)
        if isinstance(call, cst.Call)
    }
    unwraps = [call for call in calls if _is_of_accelerator(call.func, modules, bindings)]
    return bool(unwraps) and all(call in asked or call in unwraps for call in calls)
