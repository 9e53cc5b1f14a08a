"""Calls back whenever the script makes an optimizer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

from torch import nn
from torch.optim.optimizer import Optimizer


class Updates(Protocol):
    """What the recorder reads of an optimizer, or of what stands where one is missing."""

    param_groups: list[dict[str, Any]]
    state: Any


def when_optimizer_is_made(callback: Callable[[Optimizer], None]) -> None:
    """Call `callback` with each optimizer, once it knows its parameters."""
    initialise = Optimizer.__init__

    @functools.wraps(initialise)
    def initialised(self: Optimizer, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        callback(self)

    setattr(Optimizer, "__init__", initialised)  # noqa: B010


def parameters_of(optimizer: Updates) -> list[nn.Parameter]:
    """The parameters that `optimizer` trains, group by group."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
