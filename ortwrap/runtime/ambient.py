"""What torch itself is set to while a step runs, as far as it decides what a graph holds."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch.autograd import forward_ad
from torch.utils._device import DeviceContext

from .reasons import Reason

# What a graph keeps for its backward is not autograd's: hooks on that would not see it.
_HOOKED = Reason("hooks on saved tensors are set, which a graph would not call")
_OVERRIDDEN = Reason("a mode that overrides functions of torch is entered, which a graph is not")
_WATCHED = Reason(
    "a mode that sees each operator of torch is entered, which would not see a graph's"
)
_TRANSFORMED = Reason("torch.func transforms the call")
_FORWARD_MODE = Reason("derivatives are taken in forward mode, which no graph is made for")


def ambient_key() -> Hashable:
    """Autocast, default dtype and device, and determinism of this moment."""
    return (
        _autocast("cpu"),
        _autocast("cuda"),
        torch.get_default_dtype(),
        _device(),
        torch.are_deterministic_algorithms_enabled(),
    )


def obstacle() -> Reason | None:
    """Why no graph can stand in for a call of this moment."""
    hooks = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", None)
    if hooks is not None and hooks(True) is not None:
        return _HOOKED
    modes = _function_modes()
    if modes and not all(type(mode) is DeviceContext or _is_own(mode) for mode in modes):
        return _OVERRIDDEN
    modes = _dispatch_modes()
    if modes and not all(map(_is_own, modes)):
        return _WATCHED
    if torch._C._functorch.peek_interpreter_stack() is not None:
        return _TRANSFORMED
    return _FORWARD_MODE if forward_ad._current_level >= 0 else None


def _device() -> Hashable:
    """Where tensors are made, as far as somebody has said so."""
    modes = _function_modes()
    return modes and tuple(str(mode.device) for mode in modes if type(mode) is DeviceContext)


def _function_modes() -> Sequence[Any]:
    count = torch._C._len_torch_function_stack()
    return [torch._C._get_function_stack_at(index) for index in range(count)] if count else ()


def _dispatch_modes() -> Sequence[Any]:
    count = torch._C._len_torch_dispatch_stack()
    return [torch._C._get_dispatch_stack_at(index) for index in range(count)] if count else ()


def _is_own(mode: Any) -> bool:
    """Whether it is entered around a step that calls another one."""
    return type(mode).__module__.startswith("ortwrap.")


def _autocast(device: str) -> Hashable:
    if not torch.is_autocast_enabled(device):
        return None
    return torch.get_autocast_dtype(device)


def wants_gradients() -> bool:
    """Whether a call of now is a training step that a graph could stand in for."""
    return (
        torch.is_grad_enabled()
        and torch._C._get_tracing_state() is None
        and not torch.compiler.is_compiling()
    )
