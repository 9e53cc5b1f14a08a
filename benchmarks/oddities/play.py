"""What the odd scripts share: a script is a generator that trains and shows what it sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable, Optional

import torch
from torch import Tensor, nn

# Makes a step of a wrapper class and modules: `ort_module`, or the class itself for eager.
Make = Callable[..., Any]
Script = Callable[[Make], Iterator[Any]]
Between = Optional[Callable[[nn.Module, int], None]]

SCRIPTS: dict[str, Script] = {}
STEPS = 7


def script(function: Script) -> Script:
    """Adds a script under the name of its function."""
    SCRIPTS[function.__name__.strip("_").replace("_", " ")] = function
    return function


class Step(nn.Module):
    """A step of a model whose forward returns the loss, alone or first."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.model(*args, **kwargs)


class Squared(nn.Module):
    """A step of a model whose output is to be small."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.model(*args, **kwargs).square().mean()


def rows(count: int = 5, width: int = 6) -> Tensor:
    return torch.randn(count, width)


def mlp(width: int = 6, out: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, 8), nn.Tanh(), nn.Linear(8, out))


def state(model: nn.Module) -> dict[str, Any]:
    """Parameters, gradients, buffers and modes."""
    return {
        "parameters": {name: value.detach().clone() for name, value in model.named_parameters()},
        "gradients": {
            name: None if value.grad is None else value.grad.to_dense().clone()
            for name, value in model.named_parameters()
        },
        "buffers": {name: value.clone() for name, value in model.named_buffers()},
        "modes": [module.training for module in model.modules()],
    }


def train(
    make: Make,
    model: nn.Module,
    batch: Callable[[int], Any] = lambda index: (rows(),),
    *,
    kind: type[nn.Module] = Step,
    between: Between = None,
    steps: int = STEPS,
) -> Iterator[Any]:
    """The usual loop: batch `index` is a tuple of arguments, or a dict of named ones."""
    step = make(kind, model)
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=0.01)
    for index in range(steps):
        if between is not None:
            between(model, index)
        given = batch(index)
        result = step(**given) if isinstance(given, dict) else step(*given)
        optimizer.zero_grad()
        loss_of(result).backward()
        yield result, state(model)
        optimizer.step()


def loss_of(result: Any) -> Any:
    """The first tensor of a result that can be trained."""
    if isinstance(result, Tensor):
        return result if result.requires_grad else None
    if isinstance(result, dict):
        result = list(result.values())
    elif hasattr(result, "__dataclass_fields__"):
        result = list(vars(result).values())
    for part in result if isinstance(result, (list, tuple)) else ():
        found = loss_of(part)
        if found is not None:
            return found
    return None
