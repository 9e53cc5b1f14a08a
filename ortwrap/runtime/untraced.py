"""Questions about the tensors of a trace that leave no node in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


@contextlib.contextmanager
def untraced() -> Iterator[None]:
    """What is asked inside leaves no node in the trace."""
    state = torch._C._get_tracing_state()
    torch._C._set_tracing_state(None)  # type: ignore[attr-defined]
    try:
        with torch._C.DisableTorchFunction():
            yield
    finally:
        torch._C._set_tracing_state(state)  # type: ignore[attr-defined]


def traced_value(tensor: Tensor) -> Any:
    """What stands for a tensor in the trace that goes on, one of torch's C++ objects."""
    with torch._C.DisableTorchFunction():
        return torch._C._get_value_trace(tensor)  # type: ignore[attr-defined]
