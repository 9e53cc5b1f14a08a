"""Steps that leave backward and update to the module itself, which is an engine then."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.sinks import Sink
from ortwrap.engine.steps.slices import LossSlice


def check_drives_no_module(group: Sequence[Sink], found: LossSlice, analyses: Analyses) -> None:
    """Look at what runs backward: `model.backward(loss)`, where `model.step()` is called too.

    A step that also has a branch without it trains a plain module there; with an engine the
    runtime leaves it to PyTorch.

    Args:
        group: all sinks of the loss.
        found: its slice.
        analyses: of its function.

    Raises:
        Refuse: a module of the slice is an engine, by all that goes back through it.
    """
    modules = analyses.modules
    drivers = [_driver(sink.call, analyses) for sink in group]
    if None in drivers:
        return
    keys = {modules.key(driver) for driver in drivers if driver is not None}
    for piece in found.pieces:
        for use in analyses.flow.module_uses(piece.node):
            if modules.key(use) in keys - {None}:
                why = "runs backward and updates by itself, as an engine of DeepSpeed does"
                raise Refuse("OW312", group[0].call, name=analyses.tree.code(use), why=why)


def _driver(call: cst.CSTNode, analyses: Analyses) -> cst.BaseExpression | None:
    """`engine` in `engine.backward(loss)`, if it steps too and no class here says how."""
    func = call.func if isinstance(call, cst.Call) else None
    if not isinstance(func, cst.Attribute) or func.attr.value != "backward":
        return None
    if analyses.modules.classes.methods("backward"):
        return None
    key = analyses.modules.key(func.value)
    steps = any(
        isinstance(other.func, cst.Attribute)
        and other.func.attr.value == "step"
        and analyses.modules.key(other.func.value) == key
        for other in analyses.tree.calls
    )
    return func.value if steps and analyses.modules.is_trainable(func.value) else None
