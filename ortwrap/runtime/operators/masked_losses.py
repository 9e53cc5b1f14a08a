"""Losses whose rows a mask takes out by hand: they are dropped as those of ignored labels are.

    loss = F.cross_entropy(logits.view(-1, classes), labels.view(-1), reduction="none")
    loss = (loss * mask.view(-1)).sum() / mask.sum()

The mask may be made after the loss, so the rows are chosen where it is used: there the last layer
and the loss are exported once more, on fewer rows, and nobody reads the first ones any longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .arguments import is_list
from .cross_entropy import loss_call, losses_node, rows_node
from .loss_rows import counting_rows
from .paths import needs_gradient, scalar_type, traced_sizes
from .projections import on_rows, rows_before
from .readers import RESHAPES, SAME, is_read_once, source_of, way_back
from .registry import regiven

_LOSSES = frozenset(f"aten::{name}" for name in "cross_entropy_loss nll_loss_nd gather".split())
_WAY = RESHAPES | SAME | {"aten::squeeze", "aten::unsqueeze", "aten::neg"}
_MOVED = frozenset(
    f"onnx::{name}" for name in "Reshape Flatten Identity Squeeze Unsqueeze Neg".split()
)
_CASTS = frozenset({"aten::type_as", "aten::to"})


@dataclass(frozen=True)
class _Form:
    """How an operator takes rows out of a loss.

    Attributes:
        loss: the position of the loss among its arguments.
        mask: that of what tells which rows count.
        truths: the mask has to hold truth values; otherwise it may hold factors.
        inverted: true are the rows that do not count.
    """

    loss: int
    mask: int
    truths: bool = True
    inverted: bool = False


_FORMS = {
    "aten::mul": (_Form(0, 1, truths=False), _Form(1, 0, truths=False)),
    "aten::where": (_Form(1, 0), _Form(2, 0, inverted=True)),
    "aten::masked_fill": (_Form(0, 1, inverted=True),),
    "aten::masked_select": (_Form(0, 1),),
    "aten::index": (_Form(0, 1),),
}


def _on_fewer_rows(g: Any, *exported: Any) -> Sequence[Any]:
    """The arguments of a product or a selection, with a loss of the rows that it leaves."""
    traced = list(g.original_node.inputs())
    # In a graph of values "mul_" returns what "mul" does.
    for form in _FORMS[g.original_node.kind().rstrip("_")]:
        loss = exported[form.loss]
        if _is_of_rows(traced[form.loss], loss):
            mask = _mask(form, traced, exported, g.graph)
            if mask is not None:
                changed = list(exported)
                changed[form.loss] = _without(g, loss, mask, form)
                return changed
    return exported


def _mask(form: _Form, traced: Sequence[Any], exported: Sequence[Any], graph: Any) -> Any | None:
    """What tells which rows count, of the exported graph; None if it says something else too."""
    old, new = traced[form.mask], exported[form.mask]
    if is_list(old):
        (old, *others), (new, *_) = old.node().inputs(), new.node().inputs()
        if others:
            return None
    sizes = _sizes(old)
    if not sizes or sizes != _sizes(traced[form.loss]):
        return None
    if form.truths and scalar_type(old) != "Bool":
        return None
    return None if needs_gradient(new, graph) else new


def _sizes(value: Any) -> tuple[int, ...] | None:
    """The sizes that a tensor of the trace had, or what was cast to it."""
    sizes = traced_sizes(value)
    if sizes is None and value.node().kind() in _CASTS:
        return _sizes(next(value.node().inputs()))
    return sizes


def _is_of_rows(traced: Any, exported: Any) -> bool:
    """Whether it is a loss, or log probability, of each row, and rows of it can be left out.

    Nobody else may read it: a row that a mask takes out may be one that is reported.
    """
    path = way_back(traced, _WAY)
    loss = source_of(traced, path)
    if loss.node().kind() not in _LOSSES or not is_read_once(loss, path):
        return False
    if any(scalar_type(node.output()) != scalar_type(loss) for node in path):
        return False
    node, _ = _loss_behind(exported)
    call = loss_call(node)
    if call is None:
        return False
    _, _, rows, _, reduction, _ = call.template
    return rows is not None and reduction == "none"


def _loss_behind(exported: Any) -> tuple[Any, bool]:
    """The node of the loss that was moved, and maybe negated, on its way; whether it was."""
    node, negated = exported.node(), False
    while node.kind() in _MOVED:
        negated ^= node.kind() == "onnx::Neg"
        node = next(node.inputs()).node()
    return node, negated


def _without(g: Any, loss: Any, mask: Any, form: _Form) -> Any:
    """The same loss, of the rows only that `mask` leaves, in the shape of the mask."""
    node, negated = _loss_behind(loss)
    call = loss_call(node)
    assert call is not None, "it has been looked at"
    logits, target, _, *others = node.inputs()
    *_, ignored = call.template
    counts = g.op("Not", mask) if form.inverted else mask
    rows = rows_node(g, counting_rows, ignored, rows_before(logits), target, counts)
    tensors = [on_rows(g, logits, rows), target, rows, *others[:-1]]
    losses = g.op("Reshape", losses_node(g, call, tensors), g.op("Shape", mask))
    losses = g.op("Neg", losses) if negated else losses
    losses.setType(loss.type())
    return losses


OPERATORS = regiven("mul where masked_fill masked_select index", _on_fewer_rows)
