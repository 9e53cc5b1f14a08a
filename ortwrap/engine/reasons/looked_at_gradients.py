"""Gradients of an output by its input: a map of what the model looks at, and no training.

x.requires_grad_()
out = model(x)
out[0, label].backward()
saliency = x.grad.abs()
"""

from __future__ import annotations

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.statement import place_of
from ortwrap.engine.reasons.self_tests import compares
from ortwrap.engine.reasons.unit_tests import updates
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.steps.slices import LossSlice
from ortwrap.engine.text.nodes import called_name, calls_in, descendants


def check_trains_more_than_its_input(found: LossSlice, analyses: Analyses) -> None:
    """Look for a function that reads the gradient of what it gives the model, and goes no further.

    Raises:
        Refuse: it runs one backward of an output that is compared with nothing, and updates
            nothing. An attack goes back from a loss, and may be a part of each step.
    """
    tree, sink = analyses.tree, found.sink.call
    function = tree.enclosing(sink)
    if tree.is_in_a_loop(sink) or updates(function) or any(map(compares, found.pieces)):
        return
    read = set().union(*(analyses.reader.of(piece.node).reads for piece in found.pieces))
    for name in sorted(read & _asked_for(function, analyses)):
        if name in _looked_at(function, analyses):
            what = f"asks for the gradient of `{name}`"
            raise Refuse("OW116", name=tree.qualified_function(sink) or "the script", what=what)


def _asked_for(function: cst.CSTNode, analyses: Analyses) -> set[str]:
    """Places whose gradient a function switches on."""
    found: set[str | None] = set()
    instance = analyses.reader.instance
    for node in descendants(function):
        owner = _switched_on(node)
        if owner is not None:
            found.add(place_of(owner, instance))
        if isinstance(node, cst.Assign) and any(map(_asks, calls_in(node.value))):
            found.update(place_of(target.target, instance) for target in node.targets)
    return {place for place in found if place is not None}


def _switched_on(node: cst.CSTNode) -> cst.CSTNode | None:
    """`x` of `x.requires_grad = True` and of `x.requires_grad_()`."""
    named: cst.CSTNode | None = node.target if isinstance(node, cst.AssignTarget) else None
    named = node.func if isinstance(node, cst.Call) else named
    if not isinstance(named, cst.Attribute):
        return None
    return named.value if named.attr.value in ("requires_grad", "requires_grad_") else None


def _asks(call: cst.Call) -> bool:
    """`torch.tensor(x, requires_grad=True)`, `x.clone().requires_grad_()`."""
    asked = any(item.keyword and item.keyword.value == "requires_grad" for item in call.args)
    return asked or called_name(call) == "requires_grad_"


def _looked_at(function: cst.CSTNode, analyses: Analyses) -> set[str | None]:
    """Places whose gradient a function reads."""
    return {
        place_of(node.value, analyses.reader.instance)
        for node in descendants(function)
        if isinstance(node, cst.Attribute) and node.attr.value == "grad"
    }
