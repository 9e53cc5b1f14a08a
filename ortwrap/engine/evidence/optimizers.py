"""Which objects are optimizers.

A computation of the loss that is given one may clear or change what it trains, which a graph would
not: attacks on the inputs do so before they come to the loss.
"""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.members import Key
from ortwrap.engine.text.tree import SourceTree


class Optimizers:
    """The objects of a script whose gradients are cleared and that then step."""

    def __init__(self, tree: SourceTree, modules: ModuleTable) -> None:
        self._tree = tree
        self._modules = modules

    def holds(self, node: cst.CSTNode) -> bool:
        """A name or attribute of the instance stands for an optimizer.

        An engine of DeepSpeed is asked for the same, and is a module.
        """
        key = self._modules.key(node)
        return key is not None and key in self._keys and not self._modules.is_trainable(node)

    @cached_property
    def _keys(self) -> set[Key]:
        return self._asked_to("step") & self._asked_to("zero_grad")

    def _asked_to(self, method: str) -> set[Key]:
        keys = (
            self._modules.key(call.func.value)
            for call in self._tree.calls
            if isinstance(call.func, cst.Attribute) and call.func.attr.value == method
        )
        return {key for key in keys if key is not None}
