"""Code that runs forward and backward to measure them, and trains nothing."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.clocks import is_clock
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import called_name, calls_in
from ortwrap.engine.text.tree import SourceTree

_MEMORY = re.compile(
    r"^(?:max_)?memory_(?:allocated|reserved|stats)$|^reset_(?:max|peak)_memory_(?:allocated|stats)$"
)


def check_is_trained(found: LossSlice, analyses: Analyses) -> None:
    """Look for a clock between model and backward, or memory, where no weights are updated.

    A training step may read one there too: it trains as before, and its time of the forward is
    that of forward and loss. What only measures would measure something else; at the first call
    also the export.

    Raises:
        Refuse: the function takes the time of forward and backward apart, or asks how much memory
            they take, and updates nothing.
    """
    tree = analyses.tree
    function = tree.enclosing(found.sink.call)
    calls = list(calls_in(function))
    around = _callers(function, tree)
    updates = [call for call in tree.calls if called_name(call) == "step"]
    if any(call in calls or tree.enclosing(call) in around for call in updates):
        return
    start, end = tree.span(found.pieces[0].node).end, tree.span(found.sink.call).start
    for call in calls:
        name = called_name(call)
        between = start <= tree.span(call).start < end
        if (between and is_clock(call)) or _MEMORY.match(name):
            where = tree.qualified_function(found.sink.call) or "the script"
            raise Refuse("OW114", call, code=tree.code(call), name=where)


def _callers(function: cst.CSTNode, tree: SourceTree) -> set[cst.CSTNode]:
    """What calls a function or a method of that name, and may update the weights behind it."""
    name = function.name.value if isinstance(function, cst.FunctionDef) else ""
    return {tree.enclosing(call) for call in tree.calls if called_name(call) == name}
