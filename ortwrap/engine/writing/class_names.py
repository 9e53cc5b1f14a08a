"""What the classes of a script with several steps are called: by what they train and which loss."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.trained import trained_part
from ortwrap.engine.plan import Plan
from ortwrap.engine.text.tree import SourceTree

_LONGEST = 30
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


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
            # A class called `Test...` would be taken for one of tests.
            name = _camel(function.name.value.removeprefix("test_"))
            names += [f"{name}With{loss}"] if len(name) <= _LONGEST else []
        return names

    def variable(self, plan: Plan, class_name: str) -> str:
        """What holds the wrapper: `net_with_loss`, and `net_with_penalty` for that class."""
        name = trained_part(plan, self._tree, self._modules).name
        if name.endswith("with_loss"):
            return f"ort_{name}"
        special = class_name == f"{_camel(name)}With{_loss(plan)}"
        return f"{name}_with_{_loss_name(plan)}" if special else f"{name}_with_loss"

    def _kind(self, plan: Plan) -> tuple[str, str, cst.CSTNode]:
        """What a name can tell of a plan: what it trains, by which loss, in which function."""
        return self._trained(plan), _loss(plan), self._function(plan)

    def _function(self, plan: Plan) -> cst.CSTNode:
        return self._tree.enclosing(plan.sinks[0].call)

    def _trained(self, plan: Plan) -> str:
        return _camel(trained_part(plan, self._tree, self._modules).name)


def as_variable(class_name: str) -> str:
    """`NetDWithLoss` -> net_d_with_loss."""
    return _WORD_STARTS.sub("_", class_name).lower()


def _loss_name(plan: Plan) -> str:
    return plan.loss_target.rpartition(".")[-1]


def _loss(plan: Plan) -> str:
    return _camel(_loss_name(plan))


def _camel(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[._]+", name) if word)
