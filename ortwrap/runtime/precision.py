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
from typing import Any, Callable, TypeVar

import torch
from torch import Tensor, nn

from .attributes import Absence, holding
from .compare import MOST_ROUNDED, Results, counts_differ, share_apart
from .eager import EagerCall, EagerGradients, gradients_for, results_of, run_eagerly
from .plans import Call
from .widening import widen

# In units of the last bit: what a sum in another order makes of it, and a few times more.
_NUDGE = 8
_SAMPLES = 3
# Other roundings may go this much further than those that were tried.
_LEEWAY = 3.0
# How deep containers of a module are looked into for tensors.
_MAX_DEPTH = 2

_Compared = TypeVar("_Compared")


def is_single(wrapper: nn.Module) -> bool:
    """Whether double precision would tell more than what the step computes in."""
    return any(parameter.dtype is torch.float32 for parameter in wrapper.parameters())


@contextlib.contextmanager
def in_double(wrapper: nn.Module, call: Call) -> Iterator[tuple[nn.Module, Call]]:
    """A copy of the wrapper and of the call in double precision; the user's stay as they are.

    Raises:
        Exception: whatever a module raises that cannot be copied.
    """
    twin = _copied(wrapper, call).double()
    for module in twin.modules():
        _double_attributes(vars(module), depth=0)
    widen(twin)
    tensors = [_double(tensor) for tensor in call.tensors]
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield twin, call.with_tensors(tensors)
    finally:
        torch.set_default_dtype(default)


def _copied(wrapper: nn.Module, call: Call) -> nn.Module:
    """A copy of the wrapper, but for what the call gives: torch copies no tensor with a graph."""
    with holding(wrapper, dict.fromkeys(call.state, Absence.ABSENT)):
        return copy.deepcopy(wrapper)


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
    shares = _nudged(wrapper, call, eager, gradients, share_apart)
    return min(_LEEWAY * max(shares), MOST_ROUNDED)


def is_unsettled(
    wrapper: nn.Module, call: Call, eager: EagerCall, gradients: EagerGradients
) -> bool:
    """Whether eager's own results are another matter when its weights are rounded otherwise.

    A training that has exploded, as a rule, or a tie: a model that is compared with its own copy
    before the first update. The arguments are those of `how_far_rounding_goes`.
    """
    others = _nudged(wrapper, call, eager, gradients, counts_differ)
    return any(others) or how_far_rounding_goes(wrapper, call, eager, gradients) == MOST_ROUNDED


def _nudged(
    wrapper: nn.Module,
    call: Call,
    eager: EagerCall,
    gradients: EagerGradients,
    compare: Callable[[Results, Results], _Compared],
) -> list[_Compared]:
    """What `compare` says of the results with nudged weights and eager's own, for some nudges."""
    reference = results_of(eager, gradients)
    return [
        compare(_with_nudge(wrapper, call, eager, sample), reference) for sample in range(_SAMPLES)
    ]


def _with_nudge(wrapper: nn.Module, call: Call, eager: EagerCall, sample: int) -> Results:
    """The results for one way to nudge the weights; lets go of the model that it made."""
    nudged = _copied(wrapper, call)
    generator = torch.Generator().manual_seed(sample)
    with torch.no_grad():
        for parameter in nudged.parameters():
            if parameter.is_floating_point():
                noise = torch.randn(parameter.shape, generator=generator).to(parameter)
                parameter.mul_(1 + _NUDGE * torch.finfo(parameter.dtype).eps * noise)
    eager.before.random.restore()
    again = run_eagerly(nudged, call)
    return results_of(again, gradients_for(nudged, call, again))
