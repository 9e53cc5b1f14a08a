"""What torch itself is set to while a step runs, as far as it decides what a graph holds."""

from __future__ import annotations

from collections.abc import Hashable

import torch


def ambient_key() -> Hashable:
    """Autocast, default dtype and determinism of this moment."""
    return (
        _autocast("cpu"),
        _autocast("cuda"),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
    )


def _autocast(device: str) -> Hashable:
    if not torch.is_autocast_enabled(device):
        return None
    return torch.get_autocast_dtype(device)
