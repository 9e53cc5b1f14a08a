"""What a module returned is no module: `out_net = model(x)`, `h_enc, h_gru = net.encode(x)`.

Where no more than its name tells that what was run is a module, what it gave may be one as well,
`net = network(10)`: it counts as returned only if it is never run itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import Callable

import libcst as cst

from ortwrap.engine.evidence.kinds import Evidence
from ortwrap.engine.names.members import Key
from ortwrap.engine.text.tree import SourceTree

# `encoder = model.get_submodule("encoder")`, `student = teacher.clone(device)`
_GIVES_MODULE = re.compile(
    r"^(?:get|build|make|create|load|from|copy|clone|wrap|prepare|setup|with|add|convert|init|to"
    r"|cuda|cpu|half|float|double|train|eval|module|apply|requires_grad|type|share|register)"
)


class ReturnedValues:
    """Tells the places that hold what a module returned.

    Args:
        tree: the script.
        key: tells places apart.
        of_place: what is known of the object at a place, by more than its name.
        is_trainable: whether an expression gives a trainable module, if only by its name.
    """

    def __init__(
        self,
        tree: SourceTree,
        key: Callable[[cst.CSTNode], Key | None],
        of_place: Callable[[Key], Evidence | None],
        is_trainable: Callable[[cst.CSTNode], bool],
    ) -> None:
        self._tree = tree
        self._key = key
        self._of_place = of_place
        self._is_trainable = is_trainable

    def holds(self, key: Key, values: list[cst.BaseExpression], is_run: bool) -> bool:
        """A module was run for one of the values that are assigned to a place."""
        calls = [*values, *self._unpacked.get(key, ())]
        return any(self._is_returned(value, is_run) for value in calls)

    def _is_returned(self, value: cst.BaseExpression, is_run: bool) -> bool:
        if not isinstance(value, cst.Call):
            return False
        func = value.func
        if isinstance(func, cst.Attribute):
            if isinstance(func.value, cst.Call):
                # `model(x).squeeze(1)`
                return self._is_returned(func.value, is_run)
            method = func.attr.value
            computes = not is_run and bool(value.args) and not _GIVES_MODULE.search(method)
            if method.startswith("forward") or computes:
                func = func.value
        maker = self._key(func)
        if maker is None:
            return False
        return self._of_place(maker) is not None or (not is_run and self._is_trainable(func))

    @cached_property
    def _unpacked(self) -> dict[Key, list[cst.BaseExpression]]:
        """The calls whose parts are assigned to a place: `h_enc, h_gru = model(x)`."""
        found: dict[Key, list[cst.BaseExpression]] = defaultdict(list)
        for node in self._tree.assignments:
            if not isinstance(node, cst.Assign) or not isinstance(node.value, cst.Call):
                continue
            for target in node.targets:
                for part in _parts(target.target):
                    key = self._key(part)
                    if key is not None:
                        found[key].append(node.value)
        return found


def _parts(target: cst.BaseExpression) -> list[cst.BaseExpression]:
    """The targets that a tuple stands for."""
    if not isinstance(target, (cst.Tuple, cst.List)):
        return []
    return [part for item in target.elements for part in (_parts(item.value) or [item.value])]
