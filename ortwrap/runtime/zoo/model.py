"""One model of the zoo, and how it is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Callable

import torch
from torch import Tensor, nn

Batch = tuple[Tensor, ...]


@dataclass(frozen=True)
class Update:
    """One loss of a training step and what it updates.

    Attributes:
        loss: what is exported: made of the model, its forward takes a batch and returns the loss.
        of: the submodule whose parameters it updates; all of them if empty.
    """

    loss: Callable[[nn.Module], nn.Module]
    of: str = ""


@dataclass(frozen=True)
class Model:
    """A model as people train it.

    Attributes:
        name: what it is called.
        make: makes it, with random weights.
        batch: the batch of a step.
        updates: what a training step does, in order.
        dtype: of parameters and floating inputs.
        rate: the learning rate.
        decay: the weight decay.
        eager: why it runs eagerly under ortwrap; None when it must run on ONNX Runtime.
    """

    name: str
    make: Callable[[], nn.Module]
    batch: Callable[[int], Batch]
    updates: tuple[Update, ...]
    dtype: torch.dtype = torch.float32
    rate: float = 0.02
    decay: float = 0.01
    eager: str | None = None


class Classified(nn.Module):
    """Cross entropy of what the model says of its input; classes are the second dimension."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x: Tensor, target: Tensor) -> Any:
        return self.criterion(self.model(x), target)


class Tokens(nn.Module):
    """Cross entropy of what the model says of each token; label -100 does not count."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, tokens: Tensor, target: Tensor) -> Any:
        return self.criterion(self.model(tokens).flatten(0, 1), target.flatten())


def images(
    size: int, classes: int = 10, channels: int = 3, times: int = 1
) -> Callable[[int], Batch]:
    """Noise to classify, `times` as much of it as usual; every fifth batch is smaller."""

    def batch(step: int) -> Batch:
        count = times * batch_size(step)
        return torch.randn(count, channels, size, size), torch.randint(0, classes, (count,))

    return batch


def batch_size(step: int) -> int:
    """The number of examples of a batch."""
    return 5 if step % 5 == 4 else 8


def in_both_precisions(models: Sequence[Model]) -> Iterator[Model]:
    """Each model, and the same in float64."""
    for model in models:
        yield model
        yield dataclasses.replace(model, name=f"{model.name}, float64", dtype=torch.float64)
