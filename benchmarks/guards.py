"""What the guards cost per call, beside the step that they guard.

    python -m benchmarks.guards [--calls N]

For each model: the time of a whole training step on ONNX Runtime, and the time of everything that
`ort_module` does before the graph runs (arguments, Python state, labels, choice of the graph), on
the same machine in the same minute. With ORTWRAP_TRUST=1 the Python state is not looked at.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module
from ortwrap.runtime.plans import Call, GraphPlan

Batch = tuple[Tensor, Tensor]


class Step(nn.Module):
    """What the engine emits."""

    def __init__(self, model: nn.Module, criterion: nn.Module) -> None:
        super().__init__()
        self.model, self.criterion = model, criterion

    def forward(self, data: Tensor, target: Tensor) -> Tensor:
        output = self.model(data)
        loss: Tensor = self.criterion(output.flatten(0, -2), target.flatten())
        return loss


class Block(nn.Module):
    """Two convolutions with a way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, data: Tensor) -> Tensor:
        return torch.relu(data + self.inner(data))


def mlp() -> tuple[nn.Module, Batch]:
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
    return model, (torch.randn(64, 784), torch.randint(0, 10, (64,)))


def resnet() -> tuple[nn.Module, Batch]:
    blocks = [Block(16) for _ in range(8)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)]
    model = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), *blocks, *head)
    return model, (torch.randn(8, 3, 16, 16), torch.randint(0, 10, (8,)))


def transformer() -> tuple[nn.Module, Batch]:
    layer = nn.TransformerEncoderLayer(128, 4, 256, 0.0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
    model = nn.Sequential(nn.Embedding(1000, 128), encoder, nn.Linear(128, 1000))
    return model, (torch.randint(0, 1000, (4, 64)), torch.randint(0, 1000, (4, 64)))


MODELS: dict[str, Callable[[], tuple[nn.Module, Batch]]] = {
    "MLP of two layers": mlp,
    "ResNet of 8 blocks": resnet,
    "Transformer of 4 layers": transformer,
}


def _run_nothing(plan: GraphPlan, call: Call) -> None:
    """In the place of the graph: what is left is what stands before it."""


def seconds(work: Callable[[], Any], calls: int) -> float:
    """The median time of one call."""
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def measure(make: Callable[[], tuple[nn.Module, Batch]], calls: int) -> tuple[int, float, float]:
    """Modules in the step, seconds of a step, and seconds of its guards."""
    model, batch = make()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    step = ort_module(Step, model, nn.CrossEntropyLoss())

    def train() -> None:
        optimizer.zero_grad()
        step(*batch).backward()
        optimizer.step()

    for _ in range(4):
        train()
    rows = step.report()["signatures"]
    if [row["backend"] for row in rows] != ["ort"]:
        sys.exit(f"it does not run on ONNX Runtime here: {rows}")
    whole = seconds(train, calls)
    run, GraphPlan.run = GraphPlan.run, _run_nothing  # type: ignore[method-assign]
    try:
        guards = seconds(lambda: step(*batch), 10 * calls)
    finally:
        GraphPlan.run = run  # type: ignore[method-assign]
    return len(list(model.modules())), whole, guards


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50, help="steps to time (default: 50)")
    calls = parser.parse_args().calls
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, median of {calls} steps")
    print(f"{'':<26}{'modules':>8}{'step':>12}{'guards':>12}{'share':>8}{'trusted':>12}")
    for name, make in MODELS.items():
        os.environ.pop("ORTWRAP_TRUST", None)
        modules, whole, guards = measure(make, calls)
        os.environ["ORTWRAP_TRUST"] = "1"
        _, _, trusted = measure(make, calls)
        row = f"{whole * 1e3:>9.2f} ms{guards * 1e6:>9.0f} us{guards / whole:>8.1%}"
        print(f"{name:<26}{modules:>8}{row}{trusted * 1e6:>9.0f} us")


if __name__ == "__main__":
    main()
