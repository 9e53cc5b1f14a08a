"""The same step in double precision, where nothing is left of what single precision rounds off.

One unit that rounding puts on the other side of a ReLU moves the gradients of a deep network with
BatchNorm by a percent, whoever computes it: in single precision a graph that is slightly wrong
cannot be told from one that is right. In double precision it can.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from .plans import Call
from .structure import rebuild, template_of


def is_single(wrapper: nn.Module) -> bool:
    """Whether double precision would tell more than what the step computes in."""
    return any(parameter.dtype is torch.float32 for parameter in wrapper.parameters())


@contextlib.contextmanager
def in_double(wrapper: nn.Module, call: Call) -> Iterator[tuple[nn.Module, Call]]:
    """A copy of the wrapper and of the call in double precision; the user's stay as they are.

    Raises:
        Exception: whatever a module raises that cannot be copied.
    """
    twin = copy.deepcopy(wrapper).double()
    tensors = [_double(tensor) for tensor in call.tensors]
    args, kwargs = rebuild(template_of((call.args, call.kwargs)), tensors)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield twin, Call(args, kwargs, tensors, call.numbers)
    finally:
        torch.set_default_dtype(default)


def _double(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    return tensor.detach().double().requires_grad_(tensor.requires_grad)
