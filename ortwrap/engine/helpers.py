"""Whether a function of this file may be called from forward."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.bindings import Bindings
from ortwrap.engine.effects import EffectsReader
from ortwrap.engine.gradients import GradientFlow
from ortwrap.engine.modules import ModuleTable
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.tree import SourceTree


class HelperCheck:
    """Reads the body of a helper such as the user's own loss function."""

    def __init__(
        self, tree: SourceTree, bindings: Bindings, modules: ModuleTable, flow: GradientFlow
    ) -> None:
        self._tree = tree
        self._bindings = bindings
        self._modules = modules
        self._flow = flow
        self._checked: set[cst.FunctionDef] = set()

    def check(self, function: cst.FunctionDef, name: str) -> None:
        """Refuse a helper that does more than compute a value from its arguments.

        Raises:
            Refuse: it runs a module it was not given, has effects, or bakes values.
        """
        if function in self._checked:
            return
        reader = EffectsReader(self._bindings, function)
        effects = reader.of(function.body)
        scope = self._bindings.scope(function)
        if scope.declared_global or scope.declared_nonlocal:
            raise Refuse("OW107", function, name=name, why="assigns a global")
        for place, readers in effects.reads.items():
            if place not in scope.names:
                self._check_outer(place, readers[0], name)
        outer = sorted(place for place in effects.mutates if place not in scope.names)
        if outer:
            raise Refuse("OW107", function, name=name, why=f"changes `{outer[0]}`")
        inside = {
            place
            for place, bound in scope.names.items()
            if any(binding.kind in ("variable", "parameter") for binding in bound)
        }
        baked = GradientFlow(self._bindings, self._modules, reader).baked(function.body, inside)
        if baked is not None:
            raise Refuse("OW301", baked, code=self._tree.code(baked)[:60])
        self._checked.add(function)
        for call in self._calls(function):
            qualified = self._bindings.qualified(call.func) or ""
            code = self._tree.code(call)[:60]
            if qualified.startswith("torch.autograd."):
                raise Refuse("OW205", call, code=code)
            if qualified.startswith(("numpy.", "random.")):
                raise Refuse("OW304", call, code=code)
            inner = self._bindings.definition(call.func)
            if isinstance(inner, cst.FunctionDef) and inner is not function:
                self.check(inner, self._tree.code(call.func))

    def _check_outer(self, place: str, node: cst.CSTNode, name: str) -> None:
        evidence = self._modules.evidence(node)
        if evidence is not None and evidence.role != "criterion":
            raise Refuse("OW107", node, name=name, why=f"runs `{place}`, which it was not given")
        owner = self._bindings.resolve(node) if isinstance(node, cst.Name) else None
        if owner is None:
            return
        bound = owner.names[place]
        changing = len(bound) > 1 and any(binding.kind == "variable" for binding in bound)
        if changing or (not owner.is_module and bound[0].kind in ("variable", "parameter")):
            raise Refuse("OW107", node, name=name, why=f"reads `{place}`, which changes")

    def _calls(self, function: cst.FunctionDef) -> list[cst.Call]:
        return [call for call in self._tree.calls if self._tree.enclosing(call) is function]
