"""Batches of random numbers and constants, with which a model is tried out."""

from __future__ import annotations

import re

import libcst as cst

from ortwrap.engine.analyses import Analyses
from ortwrap.engine.names.bindings import Bindings
from ortwrap.engine.steps.slices import LossSlice

_MAKES_UP = re.compile(
    r"^torch\.(?:rand|zeros|ones|full|empty|arange|linspace|(?:\w+\.)?\w*[Tt]ensor$)"
)
_TURNS = frozenset(
    "to cuda cpu float double half long int bool view reshape requires_grad_".split()
)
_CODE = ("import", "function", "class")
_LITERALS = (cst.Integer, cst.Float, cst.SimpleString)


def is_batch_made_up(found: LossSlice, analyses: Analyses) -> bool:
    """All that a step reads besides its modules was made of random numbers or of literals."""
    reader, modules = analyses.reader, analyses.modules
    written = set().union(*(reader.of(piece.node).writes for piece in found.pieces))
    made_up = False
    for piece in found.pieces:
        for place, readers in reader.of(piece.node).reads.items():
            node = readers[0]
            if place in written or _is_code(node, analyses.bindings):
                continue
            if modules.evidence(node) is None:
                values = modules.all_values(node)
                if not values or not all(_is_made_up(value, analyses) for value in values):
                    return False
                made_up = True
    return made_up


def _is_code(node: cst.CSTNode, bindings: Bindings) -> bool:
    """A builtin, a module of Python, a function or a class."""
    bound = bindings.lookup(node) if isinstance(node, cst.Name) else []
    return isinstance(node, cst.Name) and all(each.kind in _CODE for each in bound)


def _is_made_up(value: cst.BaseExpression, analyses: Analyses) -> bool:
    """`torch.rand(8, 3).cuda()`, `torch.randint(0, 8, size=out.shape)`, `8`."""
    if isinstance(value, _LITERALS):
        return True
    if not isinstance(value, cst.Call):
        return False
    func = value.func
    if _MAKES_UP.match(analyses.bindings.qualified(func) or ""):
        return True
    turned = isinstance(func, cst.Attribute) and func.attr.value in _TURNS
    return turned and _is_made_up(cst.ensure_type(func, cst.Attribute).value, analyses)
