"""What of a slice the model computed, and what comes from the batch alone: for messages."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.effects.statement import Effects
from ortwrap.engine.text.nodes import descendants

# What tells nothing of the values of a tensor, and methods that make another one of its kind.
_OF_ITS_KIND = frozenset("dtype device shape ndim is_cuda requires_grad size dim numel".split())
_MADE_LIKE = frozenset("type_as to expand_as view_as reshape_as".split())
_BINDING = (cst.Assign, cst.AnnAssign, cst.AugAssign, cst.NamedExpr)


def comes_from_model(node: cst.CSTNode, pieces: Sequence[cst.CSTNode], analyses: Analyses) -> bool:
    """The expression reads what a module gave, itself or by other values of the slice."""
    reader, flow = analyses.reader, analyses.flow
    steps = [step for piece in pieces for step in descendants(piece) if isinstance(step, _BINDING)]
    given: set[str] = set()
    before = -1
    while before != len(given):
        before = len(given)
        for step in steps:
            effects = reader.of(step)
            if _reads_values_of(given, effects, analyses) or flow.module_uses(step):
                given |= effects.changes
    return _reads_values_of(given, reader.of(node), analyses) or bool(flow.module_uses(node))


def _reads_values_of(places: set[str], effects: Effects, analyses: Analyses) -> bool:
    """Some reader asks for more than the kind and the shape of what a place holds."""
    readers = (reader for place in places for reader in effects.reads.get(place, ()))
    return not all(_is_asked_for_its_kind(reader, analyses) for reader in readers)


def _is_asked_for_its_kind(reader: cst.CSTNode, analyses: Analyses) -> bool:
    """`y.type_as(out)`, `y.to(out.dtype)`, `torch.zeros_like(out)`, `out.new_zeros(3)`."""
    parents = analyses.tree.parents
    parent = parents.get(reader)
    if isinstance(parent, cst.Attribute) and parent.value is reader:
        method = parent.attr.value
        return method in _OF_ITS_KIND or method.startswith("new_")
    call = parents.get(parent) if isinstance(parent, cst.Arg) else None
    if not isinstance(call, cst.Call):
        return False
    qualified = analyses.bindings.qualified(call.func) or ""
    if qualified.startswith("torch."):
        return qualified.endswith("_like") and call.args[0] is parent
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in _MADE_LIKE
