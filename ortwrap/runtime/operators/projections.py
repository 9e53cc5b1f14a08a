"""The linear layer whose result, and nothing else, is the logits of a loss.

Each row of such logits depends on one row of what the layer gets, so rows may be dropped before
the layer instead of after it, as long as nobody else reads what the layer computes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .arguments import constant_of, is_list, is_none
from .paths import traced_sizes
from .readers import RESHAPES, SAME, is_read_once, source_of, way_back

LAYERS = frozenset({"aten::linear", "aten::matmul", "aten::mm"})
# What keeps the rows, and their order, between the layer and the loss.
_TURNS = frozenset({"aten::transpose", "aten::permute"})
_LOG_SOFTMAX = "aten::log_softmax"
_WAY = RESHAPES | SAME | _TURNS | {"aten::slice", _LOG_SOFTMAX}
_EACH = SAME | {_LOG_SOFTMAX}
_MOVED = frozenset(
    f"onnx::{name}" for name in "Reshape Flatten Slice Cast Identity Transpose LogSoftmax".split()
)

Cut = tuple[int, int, int, int]


@dataclass(frozen=True)
class Projection:
    """A linear layer before a loss.

    Attributes:
        input: what the layer gets, in the graph that is being made.
        weight: its weight there.
        bias: its bias there, None without one.
        transposed: whether the weight is (classes, features), as nn.Linear has it.
        features: the width of its input.
        cuts: slices of its result, (axis, start, end, step) each, in their order.
        normalised: log_softmax has made log probabilities of its result.
    """

    input: Any
    weight: Any
    bias: Any | None
    transposed: bool
    features: int
    cuts: tuple[Cut, ...]
    normalised: bool = False

    def rows(self, g: Any) -> Any:
        """All rows of its input, in one dimension, in the graph whose context `g` is."""
        value = self.input
        for axis, start, end, step in self.cuts:
            bounds = ([start], [end], [axis], [step])
            value = g.op("Slice", value, *(_constant(g, bound) for bound in bounds))
        return g.op("Reshape", value, _constant(g, [-1, self.features]))

    def logits(self, g: Any, rows: Any, chosen: Any) -> Any:
        """The layer on the chosen rows of its input only.

        Args:
            g: the exporter's context of the graph.
            rows: all of them.
            chosen: the numbers of some.
        """
        chosen = g.op("Gather", rows, chosen, axis_i=0)
        parameters = [self.weight] if self.bias is None else [self.weight, self.bias]
        return g.op("Gemm", chosen, *parameters, transB_i=int(self.transposed))


def rows_before(logits: Any) -> Any:
    """All rows of the layer that made the `logits` of a `Projection`."""
    return next(next(logits.node().inputs()).node().inputs())


def on_rows(g: Any, logits: Any, chosen: Any) -> Any:
    """What made the `logits` of a `Projection`, once more, on other rows."""
    gemm = logits.node()
    _, *parameters = gemm.inputs()
    chosen = g.op("Gather", rows_before(logits), chosen, axis_i=0)
    return g.op("Gemm", chosen, *parameters, transB_i=gemm.i("transB"))


def projection_of(traced: Any, exported: Any, last: bool = False) -> Projection | None:
    """The linear layer that makes the logits, None where rows cannot be dropped before it.

    Args:
        traced: the logits in torch's trace, where sizes are exact.
        exported: the same in the graph that is being made.
        last: their classes are the last dimension, however many there are, and not the second.
    """
    path = way_back(traced, _WAY)
    layer = source_of(traced, path).node()
    if layer.kind() not in LAYERS or not is_read_once(layer.output(), path):
        return None
    last = last or len(traced.type().sizes() or ()) == 2
    cuts = _cuts(path, last)
    if cuts is None:
        return None
    given, weight = map(traced_sizes, list(layer.inputs())[:2])
    if given is None or weight is None or len(given) < 2 or len(weight) != 2:
        return None
    normalised = any(node.kind() == _LOG_SOFTMAX for node in path)
    return exported_layer(exported, given[-1], cuts, normalised)


def _cuts(path: Sequence[Any], last: bool) -> tuple[Cut, ...] | None:
    """The slices on the way, None if rows are mixed or their order is lost on it.

    Args:
        path: the way back from the loss.
        last: the loss takes its classes from the last dimension.
    """
    cuts: list[Cut] = []
    for position, node in enumerate(path):
        before, after = next(node.inputs()).type(), node.output().type()
        sizes, made = before.sizes(), after.sizes()
        if not sizes or not made or before.scalarType() != after.scalarType():
            return None
        if node.kind() in _TURNS:
            at_once = all(later.kind() in _EACH for later in path[:position])
            if last or not at_once or not _turns_last_to_second(node, len(made)):
                return None
            last = True
        elif node.kind() == _LOG_SOFTMAX:
            _, axis, *_ = node.inputs()
            if constant_of(axis) % len(sizes) != (len(sizes) - 1 if last else 1):
                return None
        elif node.kind() == "aten::slice" and made != sizes:
            cut = _cut(node, len(sizes))
            if cut is None:
                return None
            cuts.insert(0, cut)
        # A cut of a reshaped tensor is none of the layer's result.
        elif node.kind() in RESHAPES and (made[-1] != sizes[-1] or cuts):
            return None
    return tuple(cuts) if last else None


def _turns_last_to_second(node: Any, rank: int) -> bool:
    """(N, ..., C) to (N, C, ...): where the loss looks for the classes of more than one row."""
    axes = _whole_numbers(list(node.inputs())[1:])
    if None in axes:
        return False
    order = [axis % rank for axis in axes if axis is not None]
    if node.kind() == "aten::permute":
        return order == [0, rank - 1, *range(1, rank - 1)]
    return rank == 3 and set(order) == {1, 2}


def _whole_numbers(values: Sequence[Any]) -> list[int | None]:
    """Constants of a trace, lists opened; None for what is no whole number."""
    numbers: list[int | None] = []
    for value in values:
        if is_list(value):
            numbers += _whole_numbers(list(value.node().inputs()))
            continue
        constant = constant_of(value)
        for number in constant if isinstance(constant, list) else [constant]:
            numbers.append(number if isinstance(number, int) else None)
    return numbers


def _cut(node: Any, rank: int) -> Cut | None:
    axis, start, end, step = (constant_of(value) for value in list(node.inputs())[1:])
    if not isinstance(axis, int) or axis % rank == rank - 1 or not isinstance(step, int):
        return None
    start, end = 0 if start is None else start, sys.maxsize if end is None else end
    if not isinstance(start, int) or not isinstance(end, int):
        return None
    return axis % rank, start, end, step


def exported_layer(
    logits: Any, features: int = 0, cuts: tuple[Cut, ...] = (), normalised: bool = False
) -> Projection | None:
    """The layer that makes the logits, in the graph that is being made."""
    node = logits.node()
    while node.kind() in _MOVED:
        node = next(node.inputs()).node()
    bias = None
    if node.kind() == "onnx::Add":
        left, right = node.inputs()
        if left.node().kind() == "onnx::MatMul":
            left, right = right, left
        bias, node = left, right.node()
    inputs = list(node.inputs())
    flipped = False
    if node.kind() == "onnx::Gemm":
        attributes = node.attributeNames()
        if any(node.f(name) != 1.0 for name in ("alpha", "beta") if name in attributes):
            return None
        if "transA" in attributes and node.i("transA"):
            return None
        flipped = "transB" in attributes and bool(node.i("transB"))
        bias = inputs[2] if len(inputs) > 2 and not is_none(inputs[2]) else None
    elif node.kind() != "onnx::MatMul":
        return None
    weight = inputs[1]
    if weight.node().kind() == "onnx::Transpose":
        weight, flipped = next(weight.node().inputs()), not flipped
    return Projection(inputs[0], weight, bias, flipped, features, cuts, normalised)


def _constant(g: Any, values: list[int]) -> Any:
    return g.op("Constant", value_t=torch.tensor(values))
