"""The same step in double precision, where nothing is left of what single precision rounds off.

One unit that rounding puts on the other side of a ReLU moves the gradients of a deep network with
BatchNorm by a percent, whoever computes it: in single precision a graph that is slightly wrong
cannot be told from one that is right. In double precision it can. But there torch runs most
operators, so that the graph in single precision must also lie as near as eager lies to itself.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .compare import MOST_ROUNDED, Results, share_apart
from .eager import EagerCall, EagerGradients, gradients_for, results_of, run_eagerly
from .plans import Call
from .structure import rebuild, template_of

# A few times the last bit of single precision, which is what a sum in another order makes of it.
_NUDGE = 1e-6
_SAMPLES = 3
# Other roundings may go this much further than those that were tried.
_LEEWAY = 3.0
# How deep containers of a module are looked into for tensors.
_MAX_DEPTH = 2


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
    for module in twin.modules():
        _double_attributes(vars(module), depth=0)
    tensors = [_double(tensor) for tensor in call.tensors]
    args, kwargs = rebuild(template_of((call.args, call.kwargs)), tensors)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield twin, Call(args, kwargs, tensors, call.numbers)
    finally:
        torch.set_default_dtype(default)


def _double_attributes(container: Any, depth: int) -> None:
    """Does for tensors that are neither parameters nor buffers, a mask that is kept, what
    `Module.double` does for these."""
    pairs = container.items() if isinstance(container, dict) else enumerate(container)
    for key, value in list(pairs):
        if type(value) is Tensor and value.is_leaf:
            container[key] = _double(value)
        elif type(value) in (dict, list) and depth < _MAX_DEPTH:
            _double_attributes(value, depth + 1)


def _double(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    return tensor.detach().double().requires_grad_(tensor.requires_grad)


def how_far_rounding_goes(
    wrapper: nn.Module, call: Call, eager: EagerCall, gradients: EagerGradients
) -> float:
    """How far eager's own results move when its weights are rounded otherwise.

    Args:
        wrapper: the user's wrapper.
        call: the call.
        eager: what it gave.
        gradients: its gradients.

    Returns:
        The largest change that rounding explains, as a share of the norm.
    """
    reference = results_of(eager, gradients)
    shares = [_nudged(wrapper, call, eager, reference, sample) for sample in range(_SAMPLES)]
    return min(_LEEWAY * max(shares), MOST_ROUNDED)


def _nudged(
    wrapper: nn.Module, call: Call, eager: EagerCall, reference: Results, sample: int
) -> float:
    """How far the results move for one way to nudge the weights; lets go of all that it made."""
    nudged = copy.deepcopy(wrapper)
    generator = torch.Generator().manual_seed(sample)
    with torch.no_grad():
        for parameter in nudged.parameters():
            if parameter.is_floating_point():
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.mul_(1 + _NUDGE * noise.to(parameter))
    eager.before.random.restore()
    again = run_eagerly(nudged, call)
    return share_apart(results_of(again, gradients_for(nudged, call, again)), reference)
