"""What the classes of a script with several steps are called: by what they train and which loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.trained import trained_part
from ortwrap.engine.plan import Plan
from ortwrap.engine.text.tree import SourceTree
from ortwrap.engine.text.words import as_class

_LONGEST = 30


class ClassNames:
    """Names for the classes of some plans.

    Args:
        plans: all plans of the script.
        tree: the script.
        modules: its modules.
    """

    def __init__(self, plans: Sequence[Plan], tree: SourceTree, modules: ModuleTable) -> None:
        self._tree = tree
        self._modules = modules
        self._with_loss = {self._trained(plan) for plan in plans if _loss(plan) == "Loss"}
        self._alike = Counter(map(self._kind, plans))
        functions = {self._function(plan) for plan in plans}
        self._functions = Counter(map(_name_of, functions))

    def of(self, plan: Plan) -> list[str]:
        """From the best name on: `NetDWithLoss`, `NetDWithPenalty`, `TrainDiscriminatorWithLoss`.

        Where another step of the same module has a loss of that very name, the first is left to it.
        """
        trained, loss = self._trained(plan), _loss(plan)
        function = self._function(plan)
        names = [f"{trained}WithLoss", f"{trained}With{loss}"]
        if trained.endswith("WithLoss"):
            names = [f"Ort{trained}", f"Ort{trained}With{loss}"]
        if loss != "Loss" and trained in self._with_loss:
            del names[0]
        if isinstance(function, cst.FunctionDef) and self._alike[self._kind(plan)] == 1:
            name = self._told_apart(function)
            names += [f"{name}With{loss}"] if len(name) <= _LONGEST else []
        return names

    def variable(self, plan: Plan, class_name: str) -> str:
        """What holds the wrapper: `net_with_loss`, and `net_with_penalty` for that class."""
        name = trained_part(plan, self._tree, self._modules).name
        if name.endswith("with_loss"):
            return f"ort_{name}"
        special = class_name == f"{self._trained(plan)}With{_loss(plan)}"
        return f"{name}_with_{_loss_name(plan)}" if special else f"{name}_with_loss"

    def _kind(self, plan: Plan) -> tuple[str, str, cst.CSTNode]:
        """What a name can tell of a plan: what it trains, by which loss, in which function."""
        return self._trained(plan), _loss(plan), self._function(plan)

    def _told_apart(self, function: cst.FunctionDef) -> str:
        """The name of a function, or of its class where others have methods of that name."""
        home = self._tree.enclosing_class(function)
        if home is not None and self._functions[_name_of(function)] > 1:
            return home.name.value
        # A class called `Test...` would be taken for one of tests.
        return as_class(_name_of(function).removeprefix("test_"))

    def _function(self, plan: Plan) -> cst.CSTNode:
        return self._tree.enclosing(plan.sinks[0].call)

    def _trained(self, plan: Plan) -> str:
        part, function = trained_part(plan, self._tree, self._modules), self._function(plan)
        home = self._tree.enclosing_class(function)
        instance = function.params.params[:1] if isinstance(function, cst.FunctionDef) else ()
        is_itself = any(parameter.name.value == part.place for parameter in instance)
        return home.name.value if home is not None and is_itself else as_class(part.name)


def _loss_name(plan: Plan) -> str:
    return plan.loss_target.rpartition(".")[-1]


def _loss(plan: Plan) -> str:
    return as_class(_loss_name(plan))


def _name_of(function: cst.CSTNode) -> str:
    return function.name.value if isinstance(function, cst.FunctionDef) else ""
