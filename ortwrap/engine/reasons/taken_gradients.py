"""Calls that take a gradient, by whatever name: `torch.autograd.grad`, `slope = autograd.grad`."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.elsewhere import defined_elsewhere

_TAKES_A_GRADIENT = re.compile(
    r"^torch\.(?:autograd\.grad$|autograd\.functional\.|func\.(?:grad|jac|vjp|hessian))"
)


def takes_a_gradient(call: cst.Call, bindings: Bindings, modules: ModuleTable) -> bool:
    """A call runs, or may run, a function of PyTorch that takes gradients."""
    return any(
        _TAKES_A_GRADIENT.match(bindings.qualified(name) or "") or _may_be_given_one(name, bindings)
        for name in (call.func, *modules.values(call.func))
    )


def _may_be_given_one(func: cst.BaseExpression, bindings: Bindings) -> bool:
    """`grad(...)`, where only a star import can have bound the name, and no file seen says what."""
    if not isinstance(func, cst.Name) or bindings.resolve(func) is not None:
        return False
    given = (".".join((*star.path, func.value)) for star in bindings.star_imports)
    may = any(_TAKES_A_GRADIENT.match(name) for name in given)
    may = may or (func.value == "grad" and bindings.has_star_import)
    return may and defined_elsewhere(func, bindings) is None
