"""Gradients taken on the way to the loss: the reason to give before any that follows from it."""

from __future__ import annotations

import re

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.reachable import reachable_calls
from ortwrap.engine.refusals import Refuse
from ortwrap.engine.slices import LossSlice

_TAKES_A_GRADIENT = (
    "torch.autograd.grad", "torch.autograd.functional.", "torch.func.grad", "torch.func.jac",
    "torch.func.vjp", "torch.func.hessian",
)  # fmt: skip
# Functions of other files that are known by this name take a gradient of what they are given.
_NAMED_FOR_IT = re.compile(
    r"(?i:gradient|grad|r1|r2)_?(?i:penalty)$|path_(?:length_)?regulari[sz]"
    r"|(?:^|\.)[a-z]\w*(?:_gp|GP)$"
)


def check_first_order(found: LossSlice, analyses: Analyses) -> None:
    """Look through a slice and the functions of this file that it calls.

    Raises:
        Refuse: the loss depends on a gradient.
    """
    for piece in found.pieces:
        for call in reachable_calls(piece.node, analyses):
            qualified = analyses.bindings.qualified(call.func) or ""
            if qualified.startswith(_TAKES_A_GRADIENT) or _NAMED_FOR_IT.search(qualified):
                raise Refuse("OW205", call, code=analyses.tree.code(call)[:60])
