"""What the calls of a piece change although its text does not say so.

    out = model(x)
    print(out.argmax(1))            # has to come before
    loss = masked_loss(out, y)      # `out[:, 2] = -1e4` in there

A loss that moves up past what reads such a value would show it the changed one.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.effects.hidden_changes import Callees
from ortwrap.engine.effects.in_place import works_in_place
from ortwrap.engine.effects.statement import EffectsReader, root_place
from ortwrap.engine.evidence.modules import ModuleTable
from ortwrap.engine.evidence.objects import Objects
from ortwrap.engine.names.arguments import pair_arguments
from ortwrap.engine.text.nodes import calls_in


class ChangesByCalls:
    """Answers for the code of one function.

    Args:
        reader: of the function.
        callees: what the functions of the script change.
        modules: what layers and criteria were built as.
        objects: what its other objects were.
    """

    def __init__(
        self, reader: EffectsReader, callees: Callees, modules: ModuleTable, objects: Objects
    ) -> None:
        self._reader = reader
        self._callees = callees
        self._modules = modules
        self._objects = objects

    def of(self, node: cst.CSTNode) -> set[str]:
        """Places whose objects are surely other ones after the calls in a piece of code."""
        found = set(self._callees.changes(node, self._reader, surely=True).places)
        for call in calls_in(node):
            changed = (*self._own_object(call), *self._arguments(call))
            roots = (root_place(value, self._reader.instance) for value in changed)
            found.update(root for root in roots if root is not None)
        return found

    def _own_object(self, call: cst.Call) -> Iterator[cst.BaseExpression]:
        """`objective` in `objective(out, y)`, which keeps a list of its values."""
        func = call.func
        if self._modules.is_trainable(func):
            # What the run of a model leaves behind is told by its traces.
            return
        if self._objects.changed_by_a_call(func) is not None:
            yield func
        elif isinstance(func, cst.Attribute) and self._objects.changes(func) is not None:
            yield func.value

    def _arguments(self, call: cst.Call) -> Iterator[cst.BaseExpression]:
        """`out` in `head(out)`, where `head` begins with a layer that works in place."""
        for value in self._modules.values(call.func):
            if not isinstance(value, cst.Call):
                continue
            if _begins_in_place(value) and call.args:
                yield call.args[0].value
            for method in self._objects.run_by_a_call(value):
                changed = self._callees.changed_by(method, surely=True)
                given = pair_arguments(method, call)
                yield from (argument for name, argument in given if name in changed)


def _begins_in_place(made: cst.Call) -> bool:
    """`nn.ReLU(inplace=True)`, `nn.Sequential(nn.ReLU(inplace=True), ...)`."""
    first = made.args[0].value if made.args else None
    inner = isinstance(first, cst.Call) and _begins_in_place(first)
    return works_in_place(made) or inner
