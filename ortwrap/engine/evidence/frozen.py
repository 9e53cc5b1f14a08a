"""Which modules a script freezes whole: an encoder that only prepares inputs, a teacher.

What such a module computes from the batch is an input of the step like the batch itself. A module
that is taken for frozen and is trained after all is run outside of the graph, as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree

if TYPE_CHECKING:
    from ortwrap.engine.evidence.modules import ModuleTable
    from ortwrap.engine.names.members import Key

_PARAMETERS = ("parameters", "named_parameters")
# What is asked of a module that trains, unless it is given False.
_HANDS_ON = (*_PARAMETERS, "requires_grad_", "add_adapter", "train")


class FrozenModules:
    """The modules whose parameters are all told to need no gradient, and are never handed on."""

    def __init__(self, tree: SourceTree, modules: ModuleTable) -> None:
        self._tree = tree
        self._modules = modules

    def holds(self, node: cst.CSTNode) -> bool:
        """A name or attribute of the instance stands for a frozen module."""
        key = self._modules.key(node)
        return key is not None and key in self._keys

    @cached_property
    def _keys(self) -> set[Key]:
        freezing = set(self._freezing_loops())
        frozen, trained = set(), set()
        for call in self._tree.calls:
            if not isinstance(call.func, cst.Attribute):
                continue
            method = call.func.attr.value
            key = self._modules.key(call.func.value) or self._key_of_built(call)
            if key is None:
                continue
            off = _is_given(call, "False")
            if call in freezing or (method == "requires_grad_" and off):
                frozen.add(key)
            elif method in _HANDS_ON and not off:
                trained.add(key)
        return frozen - trained

    def _key_of_built(self, call: cst.Call) -> Key | None:
        """`vae` of `vae = AutoEncoder(...).requires_grad_(False)`."""
        statement = self._tree.parents.get(call)
        if not isinstance(statement, cst.Assign) or len(statement.targets) != 1:
            return None
        return self._modules.key(statement.targets[0].target)

    def _freezing_loops(self) -> Iterator[cst.Call]:
        """`net.parameters()` of `for p in net.parameters(): p.requires_grad = False`."""
        for node in self._tree.units:
            if not isinstance(node, cst.For) or not isinstance(node.iter, cst.Call):
                continue
            func = node.iter.func
            asks = isinstance(func, cst.Attribute) and func.attr.value in _PARAMETERS
            if asks and any(_freezes(inner) for inner in descendants(node.body)):
                yield node.iter


def _freezes(node: cst.CSTNode) -> bool:
    """`p.requires_grad = False`, `p.requires_grad_(False)`."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        return node.func.attr.value == "requires_grad_" and _is_given(node, "False")
    if not isinstance(node, cst.Assign):
        return False
    target = node.targets[0].target
    off = isinstance(node.value, cst.Name) and node.value.value == "False"
    return off and isinstance(target, cst.Attribute) and target.attr.value == "requires_grad"


def _is_given(call: cst.Call, value: str) -> bool:
    return any(isinstance(arg.value, cst.Name) and arg.value.value == value for arg in call.args)
