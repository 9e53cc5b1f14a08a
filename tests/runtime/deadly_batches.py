"""Run by `test_deaths.py`: what kills a process that trains with ORTModule, beside eager.

Prints a line per case, at last `alive`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ortwrap.runtime import ort_module


class Step(nn.Module):
    """What the engine emits for `F.cross_entropy(model(data), target)`."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        output = self.model(data)
        return F.cross_entropy(output.flatten(0, -2) if output.dim() > 2 else output, target)


class Made(Step):
    """Its labels are worked out in forward."""

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        return super().forward(data, torch.where(target > 100, target - 100, target))


class Cut(Step):
    """It leaves out the first three examples."""

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        return super().forward(data[3:], target[3:])


class Weighted(Step):
    """Two of its classes weigh nothing."""

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        weight = torch.tensor([0.0, 0.0, 1.0, 1.0])
        return F.cross_entropy(self.model(data), target, weight)


class Rolled(Step):
    """A convolution of the form that crashed, then a loss."""

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        return super().forward(data.unsqueeze(1), target)


def convolutions() -> nn.Module:
    same = nn.Conv1d(1, 4, 3, padding="same", dilation=2)
    grouped = nn.Conv1d(4, 4, 3, padding="same", groups=2)
    return nn.Sequential(same, grouped, nn.Flatten(), nn.Linear(32, 4))


NONE = torch.full((6,), -100)
LABELS = {
    "no valid label": NONE,
    "one valid label": torch.tensor([1, *NONE[1:]]),
    "two valid labels": torch.tensor([1, 2, *NONE[2:]]),
    "too large": torch.tensor([0, 1, 2, 3, 4, -100]),
    "far too large": torch.tensor([0, 1, 10**9, 3, -100, -100]),
    "negative": torch.tensor([0, 1, -1, 3, -100, -100]),
    "no more than are left out": torch.tensor([1, 2, 3]),
    "none that weighs anything": torch.tensor([0, 1, 1, 0, -100, 0]),
    "none at all": torch.zeros(0, dtype=torch.long),
}
FIRST = {"dense": torch.tensor([0, 1, 2, 3, 0, 1]), "sparse": torch.tensor([3, 1, *NONE[2:]])}
KINDS: dict[str, tuple[type[nn.Module], Callable[[], nn.Module]]] = {
    "few classes": (Step, lambda: nn.Linear(8, 4)),
    "many classes": (Step, lambda: nn.Linear(8, 4_000)),
    "made labels": (Made, lambda: nn.Linear(8, 4)),
    "labels cut off": (Cut, lambda: nn.Linear(8, 4)),
    "weighted classes": (Weighted, lambda: nn.Linear(8, 4)),
    "convolution": (Rolled, convolutions),
}


def outcome(step: Callable[..., Tensor], data: Tensor, target: Tensor) -> float | type:
    try:
        loss = step(data, target)
        loss.backward()
    except (IndexError, RuntimeError) as error:
        return type(error)
    return loss.item()


def main() -> None:
    torch.manual_seed(0)
    ran = 0
    for kind, (made, model_of) in KINDS.items():
        for first, dense in FIRST.items():
            model = model_of()
            step = ort_module(made, model)
            for _ in range(2):
                step(torch.randn(6, 8), dense).backward()
            for name, labels in LABELS.items():
                data = torch.randn(len(labels), 8)
                found, expected = outcome(step, data, labels), outcome(made(model), data, labels)
                if isinstance(expected, float) and isinstance(found, float):
                    found, expected = torch.tensor(found), torch.tensor(expected)
                    torch.testing.assert_close(found, expected, equal_nan=True)
                else:
                    assert found is expected, (kind, first, name, found, expected)
                print(kind, first, name, expected, flush=True)
            ran += sum(row["ort_calls"] for row in step.report()["signatures"])
    assert ran >= 2 * len(KINDS), ran
    print("alive")


main()
