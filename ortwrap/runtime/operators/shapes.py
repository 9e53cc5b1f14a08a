"""The shapes of what a call returns, found out by trying it on tensors without data.

ONNX Runtime's symbolic shape inference knows sizes by name ("batch"). A call is run twice on
torch's meta device with a number for each name: a size of the result that is the number of a name
both times has that name, one that stays the same is a constant, any other is new.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Union

import torch
from torch import Tensor

from . import calls, kernels
from .calls import TorchCall
from .exporter import dtype_from_onnx, dtype_to_onnx

Size = Union[str, int, None]

# Large enough for kernels and crops, and no two sums or products of them alike.
_PROBES = ((89, 97, 101, 103, 107, 109, 113, 127), (131, 137, 139, 149, 151, 157, 163, 167))


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
    call = calls.numbered(int(inference._get_value(node, len(node.input) - 1)))
    inputs = [inference._get_shape(node, index) for index in tensors]
    dtypes = [inference.known_vi_[name].type.tensor_type.elem_type for name in node.input[:-1]]
    numbers = [_number(inference, node, index) for index in tensors]
    shapes = shapes_of(call, inputs, [dtype_from_onnx(dtype) for dtype in dtypes], numbers)
    for index, (output, shape) in enumerate(zip(call.outputs, shapes)):
        if shape is None and output.rank is None:
            continue
        sizes = shape if shape is not None else [None] * (output.rank or 0)
        named = [
            str(inference._new_symbolic_dim_from_output(node, index, axis))
            if size is None
            else size
            for axis, size in enumerate(sizes)
        ]
        _set(inference, node.output[index], dtype_to_onnx(output.dtype), named)
    for name in node.output[len(call.outputs) :]:
        _set(inference, name, onnx.TensorProto.INT64, [1])


def _number(inference: Any, node: Any, index: int) -> Size:
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
    sizes = [*values, *(size for shape in inputs for size in shape)]
    names = sorted({size for size in sizes if isinstance(size, str)})
    if len(names) > len(_PROBES[0]) or any(None in shape for shape in inputs):
        return [None for _ in call.outputs]
    for known in _guesses(names, sizes):
        fitting = [
            shapes for guess in known if (shapes := _probe(call, inputs, dtypes, values, guess))
        ]
        if len(fitting) == 1:
            return [*fitting[0]]
        if fitting:
            break
    return [None for _ in call.outputs]


_Numbers = tuple[dict[str, int], dict[str, int]]


def _guesses(names: Sequence[str], sizes: Sequence[Size]) -> Iterator[list[_Numbers]]:
    """Numbers for the names, twice: all of them different, then one equal to another size.

    The channels of an image have a name of their own until a convolution needs them to be its
    weight's. A guess counts when no other one of its group fits the call.
    """
    first, second = (dict(zip(names, probe)) for probe in _PROBES)
    yield [(first, second)]
    constants = sorted({size for size in sizes if isinstance(size, int) and size > 1})
    yield [
        ({**first, name: constant}, {**second, name: constant})
        for name in names
        for constant in constants
    ]


def _probe(
    call: TorchCall,
    inputs: Sequence[Sequence[Size]],
    dtypes: Sequence[torch.dtype],
    values: Sequence[Size],
    numbers: _Numbers,
) -> list[list[Size]] | None:
    """The shape of each output for these numbers, None when they do not fit the call."""
    try:
        first, second = (_try(call, inputs, dtypes, values, known) for known in numbers)
    except Exception:
        # No kernel for meta tensors, or sizes that must be equal and have different names.
        return None
    return [
        [_size(one, two, numbers) for one, two in zip(shape, other)]
        for shape, other in zip(first, second)
    ]


def _try(
    call: TorchCall,
    inputs: Sequence[Sequence[Size]],
    dtypes: Sequence[torch.dtype],
    values: Sequence[Size],
    known: dict[str, int],
) -> list[torch.Size]:
    tensors: list[Tensor] = []
    for shape, dtype, value in zip(inputs, dtypes, values):
        if value is not None:
            number = known[value] if isinstance(value, str) else value
            tensors.append(torch.tensor(number, dtype=dtype))
            continue
        sizes = [known[size] if isinstance(size, str) else int(size or 0) for size in shape]
        tensors.append(torch.empty(sizes, dtype=dtype, device="meta"))
    with torch.no_grad():
        return [output.shape for output in call(tensors)]


def _size(one: int, two: int, numbers: Sequence[dict[str, int]]) -> Size:
    if one == two:
        return int(one)
    for name, number in numbers[0].items():
        if (one, two) == (number, numbers[1][name]):
            return name
    return None
