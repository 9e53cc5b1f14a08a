"""Sizes of logits, and of their losses, are asked of what these are made of.

Who asks reads no value: where rows are left out, the layer on all of them would be computed for
nothing else than its sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .arguments import constant_of
from .cross_entropy import loss_call
from .exporter import dtype_of, dtype_to_onnx
from .paths import is_tensor, traced_sizes
from .projections import LAYERS, exported_layer
from .readers import LIKE_ANOTHER, LIKE_IT
from .registry import regiven


def _size(g: Any, value: Any, *dim: Any) -> Sequence[Any]:
    """size(Tensor self, int dim)"""
    traced = next(g.original_node.inputs())
    if traced.node().kind() not in LAYERS or not dim:
        return _with_labels(g, traced, value), *dim
    rank, axis = traced.type().dim(), constant_of(*dim)
    layer = exported_layer(value) if _has_a_weight(traced.node()) else None
    if layer is None or rank is None or rank < 2 or axis is None:
        return value, *dim
    if axis % rank < rank - 1:
        return layer.input, *dim
    classes = 0 if layer.transposed else 1
    return layer.weight, g.op("Constant", value_t=torch.tensor(classes))


def _has_a_weight(node: Any) -> bool:
    """A product of batches, as of attention, is no layer: its sizes are those of both."""
    _, weight, *_ = node.inputs()
    return len(traced_sizes(weight) or ()) == 2


def _like_it(g: Any, value: Any, *others: Any) -> Sequence[Any]:
    """zeros_like(Tensor self, ...)"""
    return _with_labels(g, next(g.original_node.inputs()), value), *others


def _like_another(g: Any, value: Any, *others: Any) -> Sequence[Any]:
    """view_as(Tensor self, Tensor other)"""
    _, *traced = g.original_node.inputs()
    return value, _with_labels(g, traced[0], others[0]), *others[1:]


def _with_labels(g: Any, traced: Any, exported: Any) -> Any:
    """In the place of the losses of rows something of their shape, and of their dtype."""
    labels = _labels_like(g, exported) if is_tensor(traced) and traced.type().dim() else None
    if labels is None:
        return exported
    stand_in = g.op("Cast", labels, to_i=dtype_to_onnx(dtype_of(traced)))
    stand_in.setType(exported.type())
    return stand_in


def _labels_like(g: Any, exported: Any) -> Any | None:
    """The labels of a loss in the shape that it was given; None if it is none."""
    node = exported.node()
    if loss_call(node) is not None:
        _, labels, *_ = node.inputs()
        return labels
    if node.kind() != "onnx::Reshape":
        return None
    losses, shape = node.inputs()
    labels = _labels_like(g, losses)
    return None if labels is None else g.op("Reshape", labels, shape)


OPERATORS = (
    *regiven("size", _size),
    *regiven(" ".join(LIKE_IT), _like_it),
    *regiven(" ".join(LIKE_ANOTHER), _like_another),
)
