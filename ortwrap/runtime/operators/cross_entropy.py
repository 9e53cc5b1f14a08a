"""Cross entropy of class indices over many classes: torch's kernels, on the rows that count.

ONNX Runtime's own loss runs on one thread, computes the exponentials twice, and dies on some
batches. Here the loss is a call that makes the gradient of the logits while they are in the
cache. Where the logits come straight from a linear layer, the rows whose label is ignored are
dropped before that layer: its three products then shrink by the share of such labels. The rows
are chosen anew in every step, so one graph fits batches of any density, with no valid label too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Callable

import torch
from torch import Tensor

from . import kernels
from .arguments import constant_of, is_none, trains_through
from .calls import Output, Slot, TorchCall, numbered
from .exporter import dtype_of
from .loss_rows import cross_entropy, valid_rows
from .losses import are_given
from .paths import is_floating, scalar_type
from .projections import Projection, projection_of
from .registry import as_graph, call_node

# What chooses rows returns their numbers.
_ROWS = Output(torch.int64, 1, False)
_REDUCTIONS = ("none", "mean", "sum")

# On one core: what the two calls cost, what an element of the logits costs more in ONNX Runtime's
# kernel than in ours, and how fast the products of the layer are. `python -m benchmarks.crossover`
# measures them anew.
_CALLS_NS = 150_000.0
_ELEMENT_NS = 3.0
_FLOPS_PER_NS = 80.0
# As long as nobody has looked at the labels, half of them are taken to count.
_DENSITY = 0.5


def pays(rows: int, classes: int, features: int) -> bool:
    """Whether the calls cost less than what they save.

    Args:
        rows: of the logits.
        classes: their columns.
        features: the width of what the linear layer gets; 0 without one.
    """
    products = 6 * features * (1 - _DENSITY) / _FLOPS_PER_NS
    return rows * classes * (_ELEMENT_NS + products) > _CALLS_NS


def _is_worth_it(g: Any, input: Any, target: Any, *options: Any) -> bool:
    """cross_entropy_loss(Tensor self, Tensor target, Tensor? weight, int reduction,
    SymInt ignore_index, float label_smoothing): of class indices, over enough logits."""
    traced = next(g.original_node.inputs())
    sizes = traced.type().sizes()
    if is_floating(target) or constant_of(options[3]) != 0.0 or scalar_type(traced) != "Float":
        return False
    if not sizes or len(sizes) < 2 or 0 in sizes:
        return False
    projection = projection_of(traced, input)
    if projection is None and len(sizes) > 2:
        return False
    _, labels, *_ = g.original_node.inputs()
    if not are_given(labels):
        return True
    rows = math.prod(sizes) // sizes[1]
    return pays(rows, sizes[1], 0 if projection is None else projection.features)


def _cross_entropy(g: Any, input: Any, target: Any, weight: Any, *_: Any) -> Any:
    """The rows that count, the linear layer on them, and the loss."""
    traced, _, traced_weight, reduction, ignore_index, *_ = g.original_node.inputs()
    projection = projection_of(traced, input)
    weights = None if is_none(traced_weight) else weight
    return loss_node(
        g, input, projection, target, weights, constant_of(reduction), constant_of(ignore_index)
    )


def loss_node(
    g: Any,
    logits: Any,
    projection: Projection | None,
    target: Any,
    weight: Any | None,
    reduction: int,
    ignore_index: int,
) -> Any:
    """A node for the loss in the place of the node that is being exported."""
    rows = None
    if projection is not None:
        before = projection.rows(g)
        rows = rows_node(g, valid_rows, ignore_index, before, target)
        logits = projection.logits(g, before, rows)
    tensors = [logits, target]
    optional: list[Slot | None] = []
    for value in (rows, weight):
        optional.append(None if value is None else Slot(len(tensors)))
        tensors += [] if value is None else [value]
    template = (Slot(0), Slot(1), *optional, _REDUCTIONS[reduction], ignore_index)
    trained = int(trains_through(next(g.original_node.inputs()), logits, g.graph))
    loss = g.original_node.output()
    output = Output(dtype_of(loss), loss.type().dim(), bool(trained))
    return losses_node(g, TorchCall(cross_entropy, template, trained, (output,)), tensors)


def rows_node(
    g: Any, choose: Callable[..., Tensor], ignored: int, before: Any, target: Any, *factors: Any
) -> Any:
    """A node for the numbers of the rows that `choose` leaves.

    Args:
        g: the exporter's context of the graph.
        choose: takes the labels, the sizes of what the layer gets, the factors and `ignored`.
        ignored: the label that does not count.
        before: all rows of what the layer gets.
        target: the labels.
        factors: what the losses are multiplied with, if that is known.
    """
    tensors = [target, g.op("Shape", before), *factors]
    template = (*map(Slot, range(len(tensors))), ignored)
    return losses_node(g, TorchCall(choose, template, 0, (_ROWS,)), tensors)


def losses_node(g: Any, call: TorchCall, tensors: Sequence[Any]) -> Any:
    """A node for a call of a function of ours; who looks at the graph sees its name."""
    return call_node(g, call, tensors, purpose=call.function.__name__)


def loss_call(node: Any) -> TorchCall | None:
    """The call of a node of the exported graph, if it is such a loss.

    Args:
        node: the inputs of a loss are the logits, the labels, the rows if some are left out, the
            weights if there are any, and the number of the call.
    """
    if node.kind() != f"{kernels.DOMAIN}::ATen" or node.s("operator") not in kernels.defined():
        return None
    *_, number = node.inputs()
    call = numbered(int(constant_of(number)))
    return call if call.function is cross_entropy else None


OPERATORS = as_graph("cross_entropy_loss", _cross_entropy, when=_is_worth_it)
