"""What functions of the script itself make that is trained in a way of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

import libcst as cst

from ortwrap.engine.evidence.kinds import OWN_WAYS, Evidence
from ortwrap.engine.names.classes import Classes
from ortwrap.engine.text.tree import SourceTree

# A function and, where it returns a tuple, a position in that.
_Made = tuple[cst.FunctionDef, Optional[int]]


class MadeHere:
    """Functions such as `def shard(model): return FSDP(model)`, by what they return.

    One path that does so is enough: no graph could stand in for what that gives. A module of any
    other kind is known by better evidence than by the function that made it.
    """

    def __init__(
        self,
        tree: SourceTree,
        classes: Classes,
        instance: Callable[[cst.CSTNode], str | None],
        of_value: Callable[[cst.BaseExpression], Evidence | None],
    ) -> None:
        self._tree = tree
        self._classes = classes
        self._instance = instance
        self._of_value = of_value
        self._returns = [node for node in tree.parents if isinstance(node, cst.Return)]
        self._known: dict[_Made, Evidence] = {}

    def learn(self) -> bool:
        """Look at what each function returns once more; whether there is news."""
        before = len(self._known)
        for node in self._returns:
            function = self._tree.enclosing(node)
            if isinstance(function, cst.FunctionDef) and node.value is not None:
                self._add((function, None), node.value)
                parts = node.value.elements if isinstance(node.value, cst.Tuple) else ()
                for position, part in enumerate(parts):
                    self._add((function, position), part.value)
        return len(self._known) > before

    def given_by(self, call: cst.Call, position: int | None = None) -> Evidence | None:
        """What a call gives, or one part of the tuple that it gives."""
        if not self._known:
            return None
        function = self._classes.called(call.func, self._instance(call))
        return None if function is None else self._known.get((function, position))

    def _add(self, made: _Made, value: cst.BaseExpression) -> None:
        known = self._of_value(value)
        if known is not None and known.role in OWN_WAYS and made not in self._known:
            reason = f"is what `{made[0].name.value}` returns, and {known.reason}"
            self._known[made] = Evidence(known.role, reason, 2)
