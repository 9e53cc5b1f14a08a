"""Cutting, joining and moving of tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .arguments import Arguments, constant_of, is_list, trains_through
from .arrivals import gets_gradient
from .calls import Slot
from .paths import is_tensor, scalar_type, traced_sizes
from .registry import as_graph, as_torch, surrounded, torch_node


def _lacks_a_gradient(g: Any, *_: Any) -> bool:
    """split, chunk and unbind: the gradient of ONNX's Split takes a missing piece for no piece."""
    return not all(map(gets_gradient, g.original_node.outputs()))


def _has_an_open_size(g: Any, input: Any, size: Any, *_: Any) -> bool:
    """split: into pieces of a size of the batch, the exporter wants a number."""
    return constant_of(size) is None


def _has_a_shorter_piece(g: Any, input: Any, size: Any, dim: Any, *_: Any) -> bool:
    """split: the exporter takes the last piece for as long as the others."""
    sizes = traced_sizes(next(g.original_node.inputs()))
    length, axis = constant_of(size), constant_of(dim)
    known = sizes and isinstance(length, int) and isinstance(axis, int)
    return bool(known and sizes and sizes[axis] % max(length, 1))


def _reduces(g: Any, *exported: Any) -> bool:
    """scatter(Tensor self, int dim, Tensor index, Tensor src, *, str reduce)"""
    return len(exported) > 4


def _is_taken_apart(g: Any, *_: Any) -> bool:
    """split, chunk: the exporter knows how many pieces there are."""
    return all(map(is_tensor, g.original_node.outputs()))


def _of_any_sizes(otherwise: Any, g: Any, *exported: Any, **attributes: Any) -> Any:
    """The exporter gives pieces whose sizes ONNX cannot tell those of the trace, for good."""
    pieces = otherwise(g, *exported, **attributes)
    made = pieces if isinstance(pieces, (list, tuple)) else [pieces]
    for piece, traced in zip(made, g.original_node.outputs()):
        rank = traced.type().dim()
        if rank is not None and piece.type().dim() is None:
            piece.setType(traced.type().with_sizes([None] * rank))
    return pieces


def _chunk(g: Any, input: Any, chunks: int, dim: int) -> Any:
    """prim::ConstantChunk(Tensor self), attributes chunks and dim: what `chunk` is traced as."""
    traced = next(g.original_node.inputs())
    arguments = Arguments(
        (Slot(0), chunks, dim),
        tensors=[input],
        trained=int(trains_through(traced, input, g.graph)),
        sizes=(traced_sizes(traced),),
    )
    return torch_node("", g, torch.chunk, arguments)


def _masks_dimensions(g: Any, *_: Any) -> bool:
    """index: a mask of several dimensions among others, the exporter takes it for one."""
    _, indices, *_ = g.original_node.inputs()
    given = list(indices.node().inputs())
    return len(given) > 1 and any(
        scalar_type(index) == "Bool" and index.type().dim() != 1 for index in given
    )


def _squeezes(g: Any, input: Any, *dims: Any) -> bool:
    """squeeze.dim(Tensor self, int dim), squeeze.dims(Tensor self, int[] dim), sizes known."""
    return bool(dims) and bool(traced_sizes(next(g.original_node.inputs())))


def _squeeze(g: Any, input: Any, dims: Any) -> Any:
    """Without the dimensions of another size than 1, which torch leaves as they are."""
    sizes = traced_sizes(next(g.original_node.inputs())) or ()
    given = list(dims.node().inputs()) if is_list(dims) else [dims]
    wanted = [constant_of(value) for value in given]
    axes = {int(axis) % len(sizes) for part in wanted for axis in _listed(part)}
    removed = sorted(axis for axis in axes if sizes[axis] == 1)
    if not removed:
        return g.op("Identity", input)
    return g.op("Squeeze", input, g.op("Constant", value_t=torch.tensor(removed)))


def _listed(part: Any) -> list[Any]:
    return part if isinstance(part, list) else [part]


def _fill_diagonal(g: Any, input: Any, value: Any, wrap: Any) -> Any:
    """fill_diagonal_(Tensor self, Scalar fill_value, bool wrap): torch has it in place only."""
    traced = next(g.original_node.inputs())
    arguments = Arguments(
        (Slot(0), constant_of(value), bool(constant_of(wrap))),
        tensors=[input],
        trained=int(trains_through(traced, input, g.graph)),
        sizes=(traced_sizes(traced),),
    )
    return torch_node("", g, _with_diagonal, arguments)


def _with_diagonal(input: Tensor, value: float, wrap: bool) -> Tensor:
    return input.clone().fill_diagonal_(value, wrap)


def _fills_by_a_constant(g: Any, input: Any, value: Any, *_: Any) -> bool:
    return constant_of(value) is not None


OPERATORS = (
    *as_graph("fill_diagonal", _fill_diagonal, when=_fills_by_a_constant),
    *surrounded("split split_with_sizes prim::ConstantChunk", _of_any_sizes, when=_is_taken_apart),
    *as_torch("split split_with_sizes unsafe_split unbind", when=_lacks_a_gradient, keeps=""),
    *as_torch("split", when=_has_an_open_size, keeps=""),
    *as_torch("split", when=_has_a_shorter_piece, keeps=""),
    *as_torch("scatter", when=_reduces),
    # What cells of recurrent layers cut their gates with; the exporter must know the size.
    *as_torch("unsafe_chunk", keeps=""),
    *as_graph("prim::ConstantChunk", _chunk, when=_lacks_a_gradient),
    *as_graph("squeeze", _squeeze, when=_squeezes),
    *as_torch("index", when=_masks_dimensions),
    # To ONNX Runtime's gradient what is added to has been written over.
    *as_torch("scatter_add", keeps="inputs"),
    *as_torch("repeat_interleave hstack vstack dstack column_stack", keeps="inputs"),
    *as_torch("flip roll rot90 fliplr flipud tile", keeps=""),
    *as_torch("index_add index_copy index_fill scatter_reduce masked_scatter take take_along_dim"),
)
