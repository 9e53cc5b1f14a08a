"""What torch itself is set to while a step runs, as far as it decides what a graph holds."""

from __future__ import annotations

from collections.abc import Hashable

import torch

from .reasons import Reason

# What a graph keeps for its backward is not autograd's: hooks on that would not see it.
_HOOKED = Reason("hooks on saved tensors are set, which a graph would not call")


def ambient_key() -> Hashable:
    """Autocast, default dtype and determinism of this moment."""
    return (
        _autocast("cpu"),
        _autocast("cuda"),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
    )


def obstacle() -> Reason | None:
    """Why no graph can stand in for a call of this moment."""
    hooks = getattr(torch._C._autograd, "_top_saved_tensors_default_hooks", None)
    return _HOOKED if hooks is not None and hooks(True) is not None else None


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
