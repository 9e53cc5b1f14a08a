"""Methods of plain objects that run modules which the object has: `gan.discriminate(x)`.

The wrapper holds these modules and calls the method, as it does with a helper of the script.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from ortwrap.engine.effects.harm_elsewhere import reached_from
from ortwrap.engine.effects.statement import root_place
from ortwrap.engine.evidence.plain_objects import ObjectMethod
from ortwrap.engine.names.held_module import HeldModule
from ortwrap.engine.names.inherited_methods import InheritedMethod
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.text.nodes import descendants
from ortwrap.engine.text.tree import SourceTree

if TYPE_CHECKING:
    from ortwrap.engine.names.helpers import Helpers


@dataclass(frozen=True)
class MethodOfObject:
    """One such method.

    Attributes:
        method: what the call runs.
        helpers: the functions of the file that defines it.
        modules: what it runs, as it names that itself.
    """

    method: ObjectMethod
    helpers: Helpers
    modules: tuple[HeldModule, ...]

    def held(self, tree: SourceTree, instance: str | None) -> Iterator[HeldModule]:
        """What it runs, as the caller names it.

        Args:
            tree: of the caller.
            instance: what the caller calls its own instance.
        """
        owner = self.method.owner
        code, root = tree.code(owner), root_place(owner, instance)
        for held in self.modules:
            if not held.of_instance:
                yield held
            elif root is not None:
                inside = "." in root
                place = f"{code}.{held.name}"
                yield HeldModule(place.split(".", 1)[1] if inside else place, inside, root)

    def check(self, call: cst.Call, tree: SourceTree) -> None:
        """Refuse a method that does more than compute a value from what stays the same.

        What it changes of its arguments is looked at where the call stands.

        Raises:
            Refuse: as `Helpers.check`, of functions.
        """
        function, file = self.method.function, self.method.home.file
        name = tree.code(call.func)
        if file is not None:
            func = call.func
            InheritedMethod(
                func, name, function, self.method.home, file, self.method.lineage
            ).check(call)
        else:
            self.helpers.check(function, name)
        for held in self.modules:
            if file is not None and not held.of_instance:
                raise self._refusal(call, name, f"runs `{held.name}`", function)
        self._check_calls(call, name)

    def _check_calls(self, call: cst.Call, name: str) -> None:
        """What it calls of its own object must be known, or modules in there would be missed."""
        for function in reached_from(self.method.function, self.helpers):
            for node in descendants(function.body):
                if isinstance(node, cst.Name) and node.value == "super":
                    why = "calls a method of a base class in turn"
                    raise self._refusal(call, name, why, node)
                func = node.func if isinstance(node, cst.Call) else None
                if func is not None and self.helpers.variants(func):
                    code = self.method.home.bindings.tree.code(func)
                    why = f"calls `{code}`, which several classes have"
                    raise self._refusal(call, name, why, node)

    def _refusal(self, call: cst.Call, name: str, why: str, node: cst.CSTNode) -> Refuse:
        file = self.method.home.file
        if file is None:
            return Refuse("OW107", node, name=name, why=why)
        return Refuse("OW107", node, name=name, why=why).seen_from(call, file.place(node))
