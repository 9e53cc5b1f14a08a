"""Modules by what a script asks of them: it calls an object, and saves or clears what it trains.

`D(x)` or `D.loss(x)` beside `D.state_dict()` or `D.zero_grad()`: optimizers and schedulers have
these methods too, but are not called for a value. What is no module after all, such as a normaliser
with statistics of its own, the runtime runs eagerly, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Callable

import libcst as cst

from ortwrap.engine.evidence.kinds import Role
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.names.members import Key
from ortwrap.engine.text.tree import SourceTree

_OF_WHAT_TRAINS = frozenset("state_dict load_state_dict zero_grad".split())
_OF_WHAT_UPDATES = frozenset("step update backward scale unscale_ get_last_lr minimize".split())
RUNS_MODULE = re.compile(r"^forward|loss")
_UPDATES = re.compile(r"optim|\bopt\b|parameters|sched|scaler", re.IGNORECASE)
_NO_MODULE = re.compile(
    r"optim|(?:^|_)opt$|sched|scaler|anneal|normali[sz]|(?:^|_)(?:norm|stats?|ema)$|buffer|memory"
    r"|meter|metric|augment|transform",
    re.IGNORECASE,
)
# `weight(step)` is a schedule.
_COUNTS = re.compile(r"(?:^|[_.])(?:steps?|epochs?|iter(?:ation)?s?|it|i)\d*$", re.IGNORECASE)
# As far as names are handed from one to the next.
_LONGEST_CHAIN = 4


class SavedModules:
    """Finds such objects in a script.

    Args:
        bindings: the names of the script.
        key: tells places apart.
        values: what is assigned to a place or passed for it; None where not all of it is known.
        module_classes: the classes of the script that are modules.
    """

    def __init__(
        self,
        bindings: Bindings,
        key: Callable[[cst.CSTNode], Key | None],
        values: Callable[[cst.CSTNode], list[cst.BaseExpression] | None],
        module_classes: Mapping[cst.CSTNode, Role],
    ) -> None:
        self._tree = bindings.tree
        self._bindings = bindings
        self._key = key
        self._values = values
        self._module_classes = module_classes

    def find(self) -> dict[Key, str]:
        """Their places, each with the method that it is asked for."""
        asked = self._asked()
        computing = self._computing(asked.keys())
        return {
            place: method
            for place, (method, node) in asked.items()
            if place in computing
            and not _NO_MODULE.search(place[1])
            and self._may_be_module(node, _LONGEST_CHAIN)
        }

    def _asked(self) -> dict[Key, tuple[str, cst.BaseExpression]]:
        """What is saved or cleared, by which method, and where it is first named so."""
        asked: dict[Key, tuple[str, cst.BaseExpression]] = {}
        for call in self._tree.calls:
            func = call.func
            if isinstance(func, cst.Attribute) and func.attr.value in _OF_WHAT_TRAINS:
                owner = self._key(func.value)
                if owner is not None:
                    asked.setdefault(owner, (func.attr.value, func.value))
        return asked

    def _computing(self, asked: Collection[Key]) -> set[Key | None]:
        """Which of these are called for a value, and update nothing."""
        computing: set[Key | None] = set()
        updating: set[Key | None] = set()
        for call in self._tree.calls if asked else ():
            func = call.func
            called = self._key(func)
            if called in asked:
                (computing if computes(call, self._tree) else updating).add(called)
            owner = self._key(func.value) if isinstance(func, cst.Attribute) else None
            if owner not in asked or not isinstance(func, cst.Attribute):
                continue
            if RUNS_MODULE.search(func.attr.value) and computes(call, self._tree):
                computing.add(owner)
            elif func.attr.value in _OF_WHAT_UPDATES:
                updating.add(owner)
        return computing - updating

    def _may_be_module(self, node: cst.BaseExpression, longest: int) -> bool:
        """It holds no function, nothing imported and no object of a plain class of this file."""
        if isinstance(node, cst.Call):
            home = self._bindings.definition(node.func)
            return not isinstance(home, cst.ClassDef) or home in self._module_classes
        if not isinstance(node, (cst.Name, cst.Attribute)):
            return isinstance(node, (cst.Subscript, cst.IfExp))
        bound = self._bindings.lookup(node) if isinstance(node, cst.Name) else ()
        if any(binding.kind not in ("variable", "parameter") for binding in bound):
            return False
        values = (self._values(node) or ()) if longest else ()
        return all(self._may_be_module(value, longest - 1) for value in values)


def computes(call: cst.Call, tree: SourceTree) -> bool:
    """`D(x)` gives a value; `scaler(loss, optimizer)` updates, whatever it returns."""
    given = [tree.code(argument.value) for argument in call.args]
    dropped = isinstance(tree.parents.get(call), cst.Expr)
    return not (dropped or all(map(_COUNTS.search, given)) or any(map(_UPDATES.search, given)))
