"""The shapes of what a call returns, found out by trying it on tensors without data.

ONNX Runtime's symbolic shape inference knows sizes by name ("batch"). A call is run on torch's meta
device with the sizes of the trace, and again with other numbers for the names; see `Variation`.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from . import calls, kernels
from .calls import TorchCall
from .exporter import dtype_from_onnx, dtype_to_onnx
from .variation import Size, Variation

_KNOWN: dict[Any, list[list[Size] | None]] = {}


def install() -> None:
    """Lets ONNX Runtime's symbolic shape inference ask here about calls of torch."""
    from onnxruntime.tools.symbolic_shape_infer import SymbolicShapeInference

    original = SymbolicShapeInference.__init__
    if getattr(original, "_ortwrap", False):
        return

    @functools.wraps(original)
    def with_calls(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        rule = functools.partial(_infer, self)
        self.aten_op_dispatcher_.update(dict.fromkeys(kernels.defined(), rule))
        self.aten_op_dispatcher_["detach_copy"] = self._propagate_shape_and_type

    with_calls._ortwrap = True  # type: ignore[attr-defined]
    SymbolicShapeInference.__init__ = with_calls


def _infer(inference: Any, node: Any) -> None:
    """Gives each output of a node that calls torch its type and shape."""
    import onnx

    tensors = range(len(node.input) - 1)
    number = int(inference._get_value(node, len(node.input) - 1))
    call = calls.numbered(number)
    inputs = [inference._get_shape(node, index) for index in tensors]
    dtypes = [inference.known_vi_[name].type.tensor_type.elem_type for name in node.input[:-1]]
    values = [_value(inference, node, index) for index in tensors]
    # The inference goes over the graph several times.
    key = (number, tuple(map(tuple, inputs)), tuple(dtypes), tuple(values))
    shapes = _KNOWN.get(key)
    if shapes is None:
        shapes = shapes_of(call, inputs, [dtype_from_onnx(dtype) for dtype in dtypes], values)
        _KNOWN[key] = shapes
    for index, (output, shape) in enumerate(zip(call.outputs, shapes)):
        if shape is None and output.rank is None:
            continue
        sizes = shape if shape is not None else [None] * (output.rank or 0)
        named = [
            str(inference._new_symbolic_dim_from_output(node, index, axis))
            if size is None
            else size
            for axis, size in enumerate(_with_ones(sizes, output.ones))
        ]
        _set(inference, node.output[index], dtype_to_onnx(output.dtype), named)
    for name in node.output[len(call.outputs) :]:
        _set(inference, name, onnx.TensorProto.INT64, [1])


def _with_ones(sizes: Sequence[Size], ones: Collection[int]) -> list[Size]:
    """The sizes of a result, 1 for those that cannot be told and were 1 in the trace.

    Sizes of no known number are merged where they meet, as if none of them were broadcast. For a
    graph that is used with other sizes the results are compared anew.
    """
    return [1 if size is None and axis in ones else size for axis, size in enumerate(sizes)]


def _value(inference: Any, node: Any, index: int) -> Size:
    """The value of a whole number that the graph works out, or the name of a size that it is."""
    value = inference._try_get_value(node, index)
    if value is None or getattr(value, "shape", ()) not in ((), (1,)):
        return None
    flat = value.flatten()[0] if getattr(value, "shape", ()) else value
    return int(flat) if getattr(flat, "is_number", isinstance(flat, int)) else str(flat)


def _set(inference: Any, name: str, dtype: int, shape: Sequence[Any]) -> None:
    from onnx import helper

    if name:
        inference.known_vi_[name].CopyFrom(helper.make_tensor_value_info(name, dtype, shape))


def shapes_of(
    call: TorchCall,
    inputs: Sequence[Sequence[Size]],
    dtypes: Sequence[torch.dtype],
    values: Sequence[Size],
) -> list[list[Size] | None]:
    """The shape of each output; None for a size or a shape that cannot be told.

    Args:
        call: the call.
        inputs: the shapes of its tensors, a name for each size that varies.
        dtypes: their dtypes.
        values: what is known of those that are whole numbers.
    """
    if all(output.rank == 0 for output in call.outputs):
        return [[] for _ in call.outputs]
    traced = _traced_sizes(call, inputs, values)
    if traced is None:
        return [None for _ in call.outputs]
    attempt = functools.partial(_try, call, inputs, dtypes, values)
    return Variation(attempt, traced).shapes() or [None for _ in call.outputs]


def _traced_sizes(
    call: TorchCall, inputs: Sequence[Sequence[Size]], values: Sequence[Size]
) -> dict[str, int] | None:
    """The number that each name stood for in the trace; None if that cannot be told."""
    found: dict[str, int] = {}
    for shape, sizes in zip(inputs, call.sizes):
        if None in shape or (sizes is not None and len(sizes) != len(shape)):
            return None
        for size, number in zip(shape, sizes or ()):
            if isinstance(size, str) and found.setdefault(size, number) != number:
                return None
    names = [size for shape in (*inputs, values) for size in shape if isinstance(size, str)]
    return found if found.keys() >= set(names) else None


def _try(
    call: TorchCall,
    inputs: Sequence[Sequence[Size]],
    dtypes: Sequence[torch.dtype],
    values: Sequence[Size],
    known: Mapping[str, int],
) -> list[torch.Size] | None:
    """The shapes of the outputs for these sizes, None when the call takes no such tensors."""
    tensors: list[Tensor] = []
    for shape, dtype, value in zip(inputs, dtypes, values):
        if value is not None:
            number = known[value] if isinstance(value, str) else value
            tensors.append(torch.tensor(number, dtype=dtype))
            continue
        sizes = [known[size] if isinstance(size, str) else int(size or 0) for size in shape]
        tensors.append(torch.empty(sizes, dtype=dtype, device="meta"))
    if _kills_the_process(call, tensors):
        return None
    try:
        with torch.no_grad():
            return [output.shape for output in call(tensors)]
    except Exception:
        # Sizes that do not fit one another, or no kernel for meta tensors.
        return None


_TRUSTING = ("lstm", "gru", "rnn_tanh", "rnn_relu")


def _kills_the_process(call: TorchCall, tensors: Sequence[Tensor]) -> bool:
    """Whether torch would read beyond the end of a list: its recurrent layers take the number of
    layers and directions of a state as it is."""
    if getattr(call.function, "__name__", "").split(".")[0] not in _TRUSTING:
        return False
    return any(
        traced is not None and len(traced) == 3 and tensor.shape[0] != traced[0]
        for index, (tensor, traced) in enumerate(zip(tensors, call.sizes))
        if call.template[0] != calls.Slot(index)
    )
