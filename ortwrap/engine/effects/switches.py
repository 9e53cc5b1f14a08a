"""Statements that only say which parameters are to get gradients: `set_requires_grad(D, False)`.

The run of a module that shares nothing with those they speak of does not see them.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import calls_in, descendants

_PARAMETERS = frozenset("parameters named_parameters".split())
_ASKS = frozenset("isinstance hasattr len zip enumerate list tuple".split())
_PARTS = (
    cst.For, cst.If, cst.Else, cst.IndentedBlock, cst.SimpleStatementLine, cst.SimpleStatementSuite,
)  # fmt: skip


class Switches:
    """Recognises such statements in one script."""

    def __init__(self, bindings: Bindings, modules: ModuleTable) -> None:
        self._bindings = bindings
        self._modules = modules

    def modules(self, node: cst.CSTNode, reader: EffectsReader) -> list[cst.BaseExpression]:
        """The modules whose parameters a statement switches; none if it does something else."""
        if isinstance(node, cst.For):
            owner = _asked_for_parameters(node.iter)
            switches = owner is not None and self._only_switches(node.body)
            return self._known([owner]) if owner is not None and switches else []
        call = node.value if isinstance(node, cst.Expr) else None
        if not isinstance(call, cst.Call):
            return []
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "requires_grad_":
            return self._known([call.func.value])
        function = self._modules.classes.called(call.func, reader.instance)
        if function is None or not self._is_switch(function):
            return []
        given = [argument for _, argument in pair_arguments(function, call)]
        complete = len(given) == len(call.args)
        return self._known(list(_each(given))) if complete else []

    def _known(self, nodes: list[cst.BaseExpression]) -> list[cst.BaseExpression]:
        """All of them but constants, if each is a module."""
        named = [node for node in nodes if not _is_constant(node)]
        return named if all(map(self._modules.is_trainable, named)) else []

    def _is_switch(self, function: cst.FunctionDef) -> bool:
        scope = self._bindings.scope(function)
        names = [node for node in descendants(function.body) if isinstance(node, cst.Name)]
        inside = all(self._bindings.resolve(name) in (scope, None) for name in names)
        return not function.decorators and inside and self._only_switches(function.body)

    def _only_switches(self, body: cst.CSTNode) -> bool:
        """Loops and branches around `p.requires_grad = flag`, and nothing else that counts."""
        statements = list(_small_statements(body))
        switching = [node for node in statements if _switches(node)]
        binding = [node for node in statements if _binds_list(node) or _is_text(node)]
        calls = list(calls_in(body))
        harmless = all(self._is_harmless(call) for call in calls)
        return bool(switching) and len(switching) + len(binding) == len(statements) and harmless

    def _is_harmless(self, call: cst.Call) -> bool:
        func = call.func
        if isinstance(func, cst.Name):
            return func.value in _ASKS and self._bindings.resolve(func) is None
        return isinstance(func, cst.Attribute) and (
            func.attr.value in _PARAMETERS or func.attr.value == "requires_grad_"
        )


def _asked_for_parameters(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """`net` in `net.parameters()`."""
    func = node.func if isinstance(node, cst.Call) and not node.args else None
    asks = isinstance(func, cst.Attribute) and func.attr.value == "parameters"
    return cst.ensure_type(func, cst.Attribute).value if asks else None


def _small_statements(body: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Every statement in loops and branches; any other compound statement as a whole."""
    if not isinstance(body, _PARTS):
        yield body
        return
    inner = body.orelse if isinstance(body, (cst.For, cst.If)) else None
    suite = body.body
    for part in suite if isinstance(suite, (list, tuple)) else (suite,):
        yield from _small_statements(part)
    if inner is not None:
        yield from _small_statements(inner)


def _switches(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Assign):
        target = node.targets[0].target
        alone = len(node.targets) == 1 and isinstance(target, cst.Attribute)
        return alone and cst.ensure_type(target, cst.Attribute).attr.value == "requires_grad"
    call = node.value if isinstance(node, cst.Expr) else None
    func = call.func if isinstance(call, cst.Call) else None
    return isinstance(func, cst.Attribute) and func.attr.value == "requires_grad_"


def _binds_list(node: cst.CSTNode) -> bool:
    """`nets = [nets]`."""
    listed = isinstance(node, cst.Assign) and isinstance(node.value, (cst.List, cst.Tuple))
    return listed and all(
        isinstance(item.target, cst.Name) for item in cst.ensure_type(node, cst.Assign).targets
    )


def _is_text(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Expr) and isinstance(
        node.value, (cst.SimpleString, cst.ConcatenatedString)
    )


def _each(nodes: list[cst.BaseExpression]) -> Iterator[cst.BaseExpression]:
    for node in nodes:
        if isinstance(node, (cst.List, cst.Tuple)):
            yield from (element.value for element in node.elements)
        else:
            yield node


def _is_constant(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value in ("True", "False")
