"""The constants by which the runtime chooses a cross entropy, measured anew.

    OMP_NUM_THREADS=1 python -m benchmarks.crossover

`ortwrap/runtime/operators/cross_entropy.py` holds three numbers: what the two calls of torch's
kernels cost, what an element of the logits costs more in ONNX Runtime's kernel, and how fast the
products of a linear layer are. For logits of growing size a step with either kernel is timed, one
after the other, on one thread; a line through the differences gives the first two. The last line
says for how many sizes of the table the rule chose the faster kernel.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module
from ortwrap.runtime.operators import cross_entropy

from .memory import Step

SIZES = ((64, 10), (64, 100), (64, 1_000), (256, 1_000), (256, 4_000), (512, 8_000))
_WIDTH = 512


class Scaled(nn.Module):
    """Logits that come from no linear layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(classes))

    def forward(self, data: Tensor) -> Tensor:
        return data * self.scale


class Torchs(Step):
    """A cross entropy; one class for each kernel, so that each has a graph of its own."""


class Onnxs(Torchs):
    """The same."""


@contextmanager
def choosing(torchs: bool) -> Iterator[None]:
    """Steps exported inside take torch's kernels, or ONNX Runtime's."""
    with mock.patch.object(cross_entropy, "pays", return_value=torchs):
        yield


def seconds(rows: int, classes: int, rounds: int) -> tuple[float, float]:
    """A step with ONNX Runtime's kernel, and one with torch's."""
    model = Scaled(classes)
    batch = torch.randn(rows, classes), torch.randint(0, classes, (rows,))
    steps = [ort_module(kind, model) for kind in (Onnxs, Torchs)]
    for torchs, step in enumerate(steps):
        with choosing(bool(torchs)):
            step(*batch).backward()
        step(*batch).backward()
    return in_turn(steps[0], steps[1], batch, rounds)


def in_turn(
    one: nn.Module, other: nn.Module, batch: tuple[Tensor, ...], rounds: int
) -> tuple[float, float]:
    """The seconds that each of two steps takes, run one after the other, forward and backward."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for step, found in zip((one, other), times):
            started = time.perf_counter()
            step(*batch).backward()
            found.append(time.perf_counter() - started)
    return statistics.median(times[0]), statistics.median(times[1])


def products_per_nanosecond(rounds: int) -> float:
    """Floating-point operations of the product of a linear layer with many classes."""
    left, right = torch.randn(256, _WIDTH), torch.randn(_WIDTH, 4_000)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - started)
    return 2 * 256 * _WIDTH * 4_000 / (statistics.median(times) * 1e9)


def line_through(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Where it starts, and how steep it is: through the medians of the smaller and larger half."""
    half = len(points) // 2
    (x0, y0), (x1, y1) = (
        (statistics.median(x for x, _ in part), statistics.median(y for _, y in part))
        for part in (points[:half], points[half:])
    )
    slope = (y1 - y0) / (x1 - x0)
    return y0 - slope * x0, slope


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="steps of each kind (default: 40)")
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, median of {rounds}")
    print(f"{'rows':>6}{'classes':>9}{'ONNX Runtime':>14}{'torch':>10}  chosen")
    points, right = [], 0
    for rows, classes in SIZES:
        theirs, ours = seconds(rows, classes, rounds)
        chosen = cross_entropy.pays(rows, classes, 0)
        right += chosen == (ours < theirs)
        points.append((float(rows * classes), (theirs - ours) * 1e9))
        times = f"{theirs * 1e3:>11.2f} ms{ours * 1e3:>7.2f} ms"
        print(f"{rows:>6}{classes:>9}{times}  {'torch' if chosen else 'ONNX Runtime'}", flush=True)
    start, slope = line_through(points)
    print(f"the calls cost {-start / 1e3:.0f} us (taken: {cross_entropy._CALLS_NS / 1e3:.0f})")
    print(f"an element costs {slope:.1f} ns more (taken: {cross_entropy._ELEMENT_NS:.1f})")
    fast = products_per_nanosecond(rounds)
    print(f"{fast:.0f} operations of a product per ns (taken: {cross_entropy._FLOPS_PER_NS:.0f})")
    print(f"the faster kernel was chosen for {right} of {len(SIZES)} sizes")


if __name__ == "__main__":
    main()
