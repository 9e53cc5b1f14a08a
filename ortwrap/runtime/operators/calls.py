"""Calls of torch's own functions from inside an ONNX Runtime graph, forward and backward.

Where ONNX Runtime has no kernel, or no gradient, or another arithmetic than torch, the graph holds
a node that calls torch. The forward of such a node runs under torch's autograd and keeps what that
made; its backward asks autograd for the gradients. So the arithmetic, the random numbers and the
buffers that are written to are torch's own, whatever the function is.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

import numpy
import torch
from torch import Tensor

from ..machine import is_heavy, threads_for


@dataclass(frozen=True)
class Slot:
    """The place of one of the node's tensors among the arguments of the function.

    Attributes:
        index: which of the node's tensors.
        number: the kind of Python number that the function wants instead; None for a tensor.
        boolean: whether it holds truth values, which ONNX Runtime hands over as bytes.
        order: its dimensions from the outermost in memory to the innermost, where that matters.
    """

    index: int
    number: type[int] | type[float] | None = None
    boolean: bool = False
    order: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Output:
    """One output of a call.

    Attributes:
        dtype: its dtype.
        rank: its number of dimensions, None when the trace does not tell.
        differentiable: whether a gradient arrives for it in backward.
        ones: which of its dimensions had the size 1 in the trace.
    """

    dtype: torch.dtype
    rank: int | None
    differentiable: bool
    ones: frozenset[int] = frozenset()


@dataclass(frozen=True)
class TorchCall:
    """One call of a torch function, as the trace saw it.

    Attributes:
        function: what is called.
        template: its positional arguments; a `Slot` stands for each tensor.
        trained: how many of the node's tensors, from the first on, need a gradient.
        outputs: what it returns.
        options: its keyword arguments.
        sizes: the sizes of the node's tensors in the trace, None for one that it does not tell.
    """

    function: Callable[..., Any]
    template: tuple[Any, ...]
    trained: int
    outputs: tuple[Output, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    sizes: tuple[tuple[int, ...] | None, ...] = ()

    def __call__(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The outputs for the tensors of the node, whatever grad mode is on; bytes for truth."""
        options = {name: _fill(part, tensors) for name, part in self.options.items()}
        with threads_for(self.heavy, _elements(tensors)):
            result = self.function(*_fill(self.template, tensors), **options)
        outputs = [result] if isinstance(result, Tensor) else _flat(result)
        if len(outputs) != len(self.outputs):
            # ONNX Runtime would write beyond its list of them.
            raise RuntimeError(
                f"{self.function} returns {len(outputs)} tensors, and {len(self.outputs)} when the "
                "graph was made"
            )
        return tuple([_as_bytes(output) for output in outputs])

    @functools.cached_property
    def heavy(self) -> bool:
        """Whether its work is no small multiple of its elements."""
        return is_heavy(str(self.function))


def _as_bytes(tensor: Tensor) -> Tensor:
    """Truth values as bytes: ONNX Runtime takes none from torch."""
    return tensor.view(torch.uint8) if tensor.dtype is torch.bool else tensor


def _elements(tensors: Sequence[Tensor]) -> int:
    return sum([tensor.numel() for tensor in tensors])


_CALLS: list[TorchCall] = []


def number_of(call: TorchCall) -> int:
    """The number by which a node of a graph names `call`."""
    _CALLS.append(call)
    return len(_CALLS) - 1


def numbered(number: int) -> TorchCall:
    """The call that was given `number`."""
    return _CALLS[number]


class _Ticket(numpy.ndarray):
    """A number that flows from the forward to the backward node and keeps autograd's graph alive.

    ONNX Runtime holds it as long as a backward may come. When it lets go, the graph goes too.

    Attributes:
        call: what was called.
        leaves: the inputs that need a gradient.
        outputs: the outputs that gradients arrive for.
    """

    call: TorchCall
    leaves: Sequence[Tensor]
    outputs: Sequence[Tensor]


_TICKETS: weakref.WeakValueDictionary[int, _Ticket] = weakref.WeakValueDictionary()


def forward(*arguments: Any) -> Any:
    """Kernel of a forward node that nothing is trained through: the outputs.

    Args:
        arguments: the tensors of the node, then the number of the call.
    """
    *tensors, number = arguments
    outputs = numbered(number)(tensors)
    results = _own_memory(outputs, tensors)
    return results[0] if len(results) == 1 else results


def forward_to_train(*arguments: Any) -> tuple[Tensor, ...]:
    """Kernel of a forward node that gradients flow through: the outputs and a ticket.

    Args:
        arguments: the tensors of the node, then the number of the call.
    """
    *tensors, number = arguments
    call = numbered(number)
    leaves = [tensor.detach().requires_grad_() for tensor in tensors[: call.trained]]
    with torch.enable_grad():
        outputs = call([*leaves, *tensors[call.trained :]])
    ticket = numpy.zeros(1, dtype=numpy.int64).view(_Ticket)
    ticket.call = call
    ticket.leaves = leaves
    ticket.outputs = [
        tensor for tensor, output in zip(outputs, call.outputs) if output.differentiable
    ]
    ticket[0] = key = id(ticket)
    _TICKETS[key] = ticket
    results = _own_memory([tensor.detach() for tensor in outputs], tensors)
    return (*results, torch.from_numpy(ticket))


def backward(ticket: Tensor, *tensors: Tensor) -> Any:
    """Kernel of a backward node: the gradient of each trained input.

    Args:
        ticket: what the forward node returned.
        tensors: the gradients of its outputs, then tensors that autograd kept for this moment;
            they are listed so that ONNX Runtime leaves their memory alone.
    """
    kept = _TICKETS[int(ticket)]
    pairs = [pair for pair in zip(kept.outputs, tensors) if pair[0].requires_grad]
    found: Sequence[Tensor | None] = [None] * len(kept.leaves)
    if pairs:
        outputs = [output for output, _ in pairs]
        # The gradient of a power of one number comes as a vector of one.
        given = [gradient.reshape(output.shape) for output, gradient in pairs]
        with threads_for(kept.call.heavy, _elements(kept.leaves)):
            found = torch.autograd.grad(outputs, kept.leaves, given, allow_unused=True)
    kept.outputs = ()
    gradients = [
        torch.zeros_like(leaf) if gradient is None else gradient
        for leaf, gradient in zip(kept.leaves, found)
    ]
    results = _own_memory(gradients, tensors)
    return results[0] if len(results) == 1 else results


def _own_memory(results: Sequence[Tensor], inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Copies results that lie in the memory of an input, or of one another.

    ONNX Runtime takes every output for a new tensor and reuses memory accordingly. Of one without
    elements it looks at the strides, to which torch gives no thought there.
    """
    taken = {tensor.untyped_storage().data_ptr() for tensor in inputs}
    own = []
    for tensor in results:
        start = tensor.untyped_storage().data_ptr()
        shared = start in taken or not tensor.numel()
        own.append(tensor.clone(memory_format=torch.contiguous_format) if shared else tensor)
        taken.add(start)
    return tuple(own)


def _fill(template: Any, tensors: Sequence[Tensor]) -> Any:
    """`template` with the tensors in their places."""
    if isinstance(template, Slot):
        tensor = tensors[template.index]
        if template.boolean and tensor.dtype is torch.uint8:
            tensor = tensor.view(torch.bool)
        if template.order is not None:
            tensor = _in_memory_order(tensor, template.order)
        return tensor if template.number is None else template.number(tensor.item())
    if isinstance(template, (tuple, list)):
        return type(template)(_fill(part, tensors) for part in template)
    return template


def _in_memory_order(tensor: Tensor, order: tuple[int, ...]) -> Tensor:
    """An equal tensor whose dimensions lie in memory in that order.

    Random numbers are drawn in the order of the memory, and what eager gets may be transposed.
    """
    back = sorted(range(len(order)), key=order.__getitem__)
    return tensor.permute(order).contiguous().permute(back)


def _flat(result: Any) -> list[Tensor]:
    """The tensors of a result, lists of tensors opened."""
    tensors: list[Tensor] = []
    for part in result:
        tensors.extend([part] if isinstance(part, Tensor) else _flat(part))
    return tensors
