"""Whether two modules share nothing, so that their runs may trade places.

A policy and its target network, a student and a frozen teacher: where each was built by itself,
running one leaves no trace in the other, whatever buffers it updates. Nor does it where it keeps
none, be it the same module.
"""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from ortwrap.engine.effects.randomness import SAME_MODULE, Randomness
from ortwrap.engine.effects.stateless import Statelessness
from ortwrap.engine.effects.statement import EffectsReader
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree


class Independence:
    """Follows the modules of one script back to where they were built."""

    def __init__(
        self, tree: SourceTree, bindings: Bindings, modules: ModuleTable, randomness: Randomness
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._randomness = randomness
        self._statelessness = Statelessness(tree, bindings, modules)
        # What is being followed, so that names which refer to themselves come to an end.
        self._open: set[cst.CSTNode] = set()

    def holds(
        self, module: cst.CSTNode, pieces: Iterable[cst.CSTNode], reader: EffectsReader
    ) -> bool:
        """The module that is called keeps no state, or shares none with any that `pieces` read.

        Nor do both draw random numbers, which come in the order of the runs.
        """
        every = list(pieces)
        draws = self._randomness.may_draw(module)
        both = draws and any(map(self._randomness.may_draw_in, every))
        if both:
            return False
        return self._statelessness.holds(module) or self.is_apart(module, every, reader)

    def is_apart(
        self, module: cst.CSTNode, pieces: Iterable[cst.CSTNode], reader: EffectsReader
    ) -> bool:
        """The module shares no state with any that `pieces` read."""
        own = self._origins(module)
        if own is None:
            return False
        for piece in pieces:
            for nodes in reader.of(piece).reads.values():
                run = map(self._modules.run_by, nodes)
                for node in filter(self._modules.is_trainable, run):
                    others = self._origins(node)
                    if others is None or own & others:
                        return False
        return True

    def _origins(self, node: cst.CSTNode) -> set[cst.CSTNode] | None:
        """The calls that build what a name or an attribute may hold; None if some are unknown."""
        found: set[cst.CSTNode] = set()
        for value in self._modules.all_values(node) or ():
            built = self._built(value)
            if built is None:
                return None
            found |= built
        return found or None

    def _built(self, value: cst.BaseExpression) -> set[cst.CSTNode] | None:
        if value in self._open:
            return set()
        self._open.add(value)
        try:
            return self._built_by(value)
        finally:
            self._open.discard(value)

    def _built_by(self, value: cst.BaseExpression) -> set[cst.CSTNode] | None:
        if isinstance(value, (cst.Name, cst.Attribute)):
            return self._origins(value)
        if not isinstance(value, cst.Call):
            return None
        func = value.func
        if isinstance(func, cst.Attribute) and func.attr.value in SAME_MODULE:
            return self._built(func.value)
        qualified = self._bindings.qualified(func) or ""
        if qualified == "copy.deepcopy":
            return {value}
        defined = self._bindings.definition(func)
        makes = defined in self._modules.module_classes or qualified.startswith("torch.nn.")
        taken = [*value.args, *([] if defined is None else [defined])]
        if not makes or any(self._takes_module(part) for part in taken):
            return None
        return {value}

    def _takes_module(self, node: cst.CSTNode) -> bool:
        """It is given a module made elsewhere, or reads one from around its class."""
        inside = set(descendants(node))
        for inner in inside:
            if isinstance(inner, cst.Name) and self._modules.is_trainable(inner):
                owner = self._bindings.resolve(inner)
                if owner is None or owner.node not in inside:
                    return True
        return False
