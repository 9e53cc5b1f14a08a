"""Log probabilities of labels, by nll_loss or by gather: a cross entropy of the logits behind them.

    F.nll_loss(F.log_softmax(logits, -1).view(-1, classes), labels.view(-1), reduction="none")
    F.log_softmax(logits, -1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)

Where log_softmax gets what a linear layer makes, and nobody else reads either, all three become
the loss of cross_entropy.py, which leaves out the rows that do not count.
"""

from __future__ import annotations

import math
from typing import Any

from .arguments import constant_of, is_none
from .cross_entropy import loss_node, pays
from .paths import scalar_type, traced_sizes
from .projections import Projection, projection_of
from .registry import as_graph

_NONE, _NOTHING = 0, -(2**63)


def _pays(traced: Any, projection: Projection | None, classes: int) -> bool:
    """Whether they are log probabilities of a linear layer, and enough of them."""
    if projection is None or not projection.normalised or scalar_type(traced) != "Float":
        return False
    sizes = traced.type().sizes()
    return pays(math.prod(sizes) // sizes[classes], sizes[classes], projection.features)


def _is_of_logits(g: Any, input: Any, *_: Any) -> bool:
    """nll_loss_nd(Tensor self, Tensor target, Tensor? weight, int reduction, SymInt ignored)"""
    traced = next(g.original_node.inputs())
    return _pays(traced, projection_of(traced, input), 1)


def _nll_loss(g: Any, input: Any, target: Any, weight: Any, *_: Any) -> Any:
    traced, _, traced_weight, reduction, ignore_index = g.original_node.inputs()
    weights = None if is_none(traced_weight) else weight
    options = constant_of(reduction), constant_of(ignore_index)
    return loss_node(g, input, projection_of(traced, input), target, weights, *options)


def _is_of_labels(g: Any, input: Any, dim: Any, index: Any, *_: Any) -> bool:
    """gather(Tensor self, int dim, Tensor index, bool sparse_grad): one class of each row."""
    traced, axis, labels, sparse = g.original_node.inputs()
    sizes, chosen = traced.type().sizes(), traced_sizes(labels)
    if not sizes or chosen != (*sizes[:-1], 1) or constant_of(sparse):
        return False
    if constant_of(axis) not in (-1, len(sizes) - 1):
        return False
    return _pays(traced, projection_of(traced, input, last=True), -1)


def _gather(g: Any, input: Any, dim: Any, index: Any, *_: Any) -> Any:
    projection = projection_of(next(g.original_node.inputs()), input, last=True)
    return g.op("Neg", loss_node(g, input, projection, index, None, _NONE, _NOTHING))


OPERATORS = (
    *as_graph("nll_loss_nd nll_loss", _nll_loss, when=_is_of_logits),
    *as_graph("gather", _gather, when=_is_of_labels),
)
