"""Gradients taken on the way to the loss: the reason to give before any that follows from it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.nodes import descendants
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.slices import LossSlice

_TAKES_A_GRADIENT = (
    "torch.autograd.grad", "torch.autograd.functional.", "torch.func.grad", "torch.func.jac",
    "torch.func.vjp", "torch.func.hessian",
)  # fmt: skip


def check_first_order(found: LossSlice, analyses: Analyses) -> None:
    """Look through a slice and the functions of this file that it calls.

    Raises:
        Refuse: the loss depends on a gradient.
    """
    for piece in found.pieces:
        for call in _calls(piece.node, analyses, set()):
            qualified = analyses.bindings.qualified(call.func) or ""
            if qualified.startswith(_TAKES_A_GRADIENT):
                raise Refuse("OW205", call, code=analyses.tree.code(call)[:60])


def _calls(node: cst.CSTNode, analyses: Analyses, seen: set[cst.FunctionDef]) -> Iterator[cst.Call]:
    for call in descendants(node):
        if not isinstance(call, cst.Call):
            continue
        yield call
        helper = analyses.helpers.called(call.func)
        if helper is not None and helper not in seen:
            seen.add(helper)
            yield from _calls(helper.body, analyses, seen)
