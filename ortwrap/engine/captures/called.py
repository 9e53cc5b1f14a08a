"""What the wrapper holds for the callables of a slice: they themselves, and what they run."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.captures.held import HeldParts
from ortwrap.engine.captures.scopes import is_global
from ortwrap.engine.captures.walked import Walked
from ortwrap.engine.effects.statement import root_place
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.names.inherited_methods import inherited_method
from ortwrap.engine.refusals import Refuse


class CalledParts:
    """Gives the wrapper parts for what the slice calls.

    Args:
        analyses: of the step's function.
        walked: the walk whose parts these are.
        held: holds them.
        by_instance: `self` is the module, and held whole.
    """

    def __init__(
        self, analyses: Analyses, walked: Walked, held: HeldParts, by_instance: bool
    ) -> None:
        self._tree = analyses.tree
        self._bindings = analyses.bindings
        self._modules = analyses.modules
        self._helpers = analyses.helpers
        self._instance = analyses.reader.instance
        self._walked = walked
        self._held = held
        self._by_instance = by_instance

    def callee(self, call: cst.Call, place: str) -> None:
        """A function, a method of the instance, a module or another callable, by its place.

        Raises:
            Refuse: forward cannot call it.
        """
        func = call.func
        if not self._is_global(func):
            self._held.hold(func, place)
        helper = self._helpers.called(func)
        if helper is None:
            self._check_variants(call, place)
            self._inherited(call, place)
            return
        self._helpers.check(helper, place)
        self._check_given(call, helper)
        if helper.decorators and self._modules.is_trainable(func):
            # `self.net`, a property: the module that it gives is held already.
            return
        for held in self._helpers.held_modules(helper):
            if not (held.of_instance and self._by_instance):
                self._held.hold_for_helper(held, func)

    def of_object(self, call: cst.Call) -> bool:
        """A plain object that runs its modules when it, or a method of it, is called.

        Returns:
            False if the call is none of such an object.

        Raises:
            Refuse: forward cannot call it.
        """
        func = call.func
        found = self._helpers.of_object(func)
        root = None if found is None else root_place(found.method.owner, self._instance)
        if found is None or root is None or root in self._walked.defined:
            return False
        if self._by_instance and root.split(".")[0] == self._instance:
            return False
        found.check(call, self._tree)
        if found.method.home.file is None:
            self._check_given(call, found.method.function)
        for held in found.held(self._tree, self._instance):
            self._held.hold_found(held)
        if isinstance(func, cst.Attribute) and func is not found.method.owner:
            self._held.hold_item(func)
        else:
            self._held.hold(func, root)
        return True

    def _inherited(self, call: cst.Call, place: str) -> None:
        """A method of a base class in another file runs modules that the wrapper has to hold."""
        home = self._modules.classes.home(call)
        if home is None or "." not in place:
            return
        method = inherited_method(call.func, place, home, self._bindings)
        if method is not None:
            method.check(call)
            for held in method.held_modules():
                if not self._by_instance:
                    self._held.hold_for_helper(held, call.func)

    def _check_given(self, call: cst.Call, helper: cst.FunctionDef) -> None:
        """What forward is given has to be the same after it, or each run would change it anew."""
        changed = self._helpers.callees.changed_by(helper, surely=True)
        for parameter, argument in pair_arguments(helper, call):
            root = root_place(argument, self._instance)
            if parameter in changed and root is not None and root not in self._walked.defined:
                name, why = self._tree.code(call.func), f"changes `{self._tree.code(argument)}`"
                raise Refuse("OW107", call, name=name, why=why)

    def _check_variants(self, call: cst.Call, place: str) -> None:
        """Any of a function's definitions, or of the methods that derived classes have, may run."""
        kind = "definition" if isinstance(call.func, cst.Name) else "class"
        for method in self._helpers.variants(call.func):
            self._helpers.check(method, place)
            self._check_given(call, method)
            for held in self._helpers.held_modules(method):
                why = f"runs `{held.place(self._instance)}` in one {kind} and not in another"
                raise Refuse("OW107", method, name=place, why=why)

    def _is_global(self, node: cst.CSTNode) -> bool:
        """Forward sees what the script does: but for modules that other files keep."""
        return self._modules.evidence(node) is None and is_global(node, self._bindings)
