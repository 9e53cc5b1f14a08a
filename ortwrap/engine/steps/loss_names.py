"""What a loss is called that its step writes into the sink: `model(x).sum().backward()`."""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.names.taken import TakenNames
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.tree import SourceTree

_NAMES = ("loss", "total_loss", "step_loss", "loss_to_minimize")


class LossNames:
    """Gives names to the losses of one script."""

    def __init__(self, tree: SourceTree, taken: TakenNames) -> None:
        self._tree = tree
        self._taken = taken
        self._given: dict[tuple[cst.CSTNode, str], str] = {}

    def name_for(self, found: LossSlice) -> str:
        """A name that the function does not have, nor another loss that something reads later."""
        function, code = self._tree.enclosing(found.sink.call), self._tree.code(found.loss)
        taken = self._taken.in_function(function)
        for name in _NAMES:
            given = code
            if isinstance(found.loss, cst.Attribute):
                given = self._given.setdefault((function, name), code)
            if name not in taken and given == code:
                return name
        name = "loss_of_step"
        while name in taken:
            name += "_"
        return name
