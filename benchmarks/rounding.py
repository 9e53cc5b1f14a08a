"""How far apart rounding alone drives trainings of ResNet-50, with ONNX Runtime among them.

    python -m benchmarks.rounding [--batch 64] [--size 32] [--steps 20]

Trains the zoo's ResNet-50 eagerly, on ONNX Runtime, and eagerly rounded otherwise: without oneDNN,
on two threads, with its pictures in another memory format, with the last bits of its first weights
changed. A row is the largest difference of a parameter from the eager run, and from an eager run
in double precision, after the last step. Below it, for every step of the eager run, is how far each
gradient at its weights lies from that of double precision: the median share of the norm.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Callable

import torch
from torch import Tensor, nn

from ortwrap.runtime import ort_module
from ortwrap.runtime.zoo.model import Classified
from ortwrap.runtime.zoo.trial import nudge, without_onednn
from ortwrap.runtime.zoo.vision import resnet50

Batches = list[tuple[Tensor, Tensor]]
_WEIGHT_DECAY = 1e-4


@dataclass
class Run:
    """One way to train the model.

    Attributes:
        model: a fresh one.
        make: makes the step of it.
        around: surrounds each step.
        place: makes the pictures what the model takes.
    """

    model: nn.Module
    make: Callable[..., Any] = lambda kind, model: kind(model)
    around: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext
    place: Callable[[Tensor], Tensor] = lambda pictures: pictures
    step: Any = field(init=False)

    def __post_init__(self) -> None:
        self.step = self.make(Classified, self.model)

    def gradients(self, pictures: Tensor, target: Tensor) -> None:
        """One forward and backward."""
        self.model.zero_grad()
        with self.around():
            self.step(self.place(pictures), target).backward()

    def flat_gradient(self) -> Tensor:
        """Every gradient, one after the other."""
        parts = [one.grad for one in self.model.parameters() if one.grad is not None]
        return torch.cat([part.double().flatten() for part in parts])


def fresh(dtype: torch.dtype = torch.float32, seed: int | None = None) -> nn.Module:
    """The model at its first weights, the last bits of which depend on `seed` if there is one."""
    torch.manual_seed(0)
    model = resnet50().to(dtype)
    if seed is not None:
        nudge(model, seed)
    return model


@contextlib.contextmanager
def two_threads() -> Iterator[None]:
    """Sums are divided among the threads, and so added in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def runs() -> dict[str, Run]:
    """Eager first, double precision last."""
    last = torch.channels_last
    changed = {f"eager, last bits changed ({n})": Run(fresh(seed=n)) for n in range(3)}
    return {
        "eager": Run(fresh()),
        "ONNX Runtime": Run(fresh(), ort_module),
        "eager without oneDNN": Run(fresh(), around=without_onednn),
        "eager on two threads": Run(fresh(), around=two_threads),
        "eager, channels last": Run(
            fresh().to(memory_format=last), place=lambda one: one.contiguous(memory_format=last)
        ),
        **changed,
        "ONNX Runtime in double": Run(fresh(torch.float64), ort_module, place=Tensor.double),
        "eager in double": Run(fresh(torch.float64), place=Tensor.double),
    }


def train(run: Run, batches: Batches, rate: float) -> None:
    """As the zoo does it."""
    parameters = run.model.parameters()
    optimizer = torch.optim.SGD(parameters, rate, momentum=0.9, weight_decay=_WEIGHT_DECAY)
    for batch in batches:
        run.gradients(*batch)
        optimizer.step()


def apart(one: Run, other: Run) -> float:
    """The largest difference of a parameter, relative to its largest entry where above one."""
    gaps = [
        (mine.double() - theirs.double()).abs().max() / theirs.double().abs().max().clamp(min=1)
        for mine, theirs in zip(one.model.parameters(), other.model.parameters())
    ]
    return float(torch.stack(gaps).max())


def errors(batches: Batches, rate: float) -> dict[str, float]:
    """How far gradients lie from those of double precision, at the weights of the eager run."""
    names = ("eager", "ONNX Runtime", "eager without oneDNN")
    found: dict[str, list[float]] = {name: [] for name in names}
    compared = {name: run for name, run in runs().items() if name in names}
    exact, leader = Run(fresh(torch.float64), place=Tensor.double), Run(fresh())
    parameters = leader.model.parameters()
    optimizer = torch.optim.SGD(parameters, rate, momentum=0.9, weight_decay=_WEIGHT_DECAY)
    for batch in batches:
        state = leader.model.state_dict()
        exact.model.load_state_dict(state)
        exact.gradients(*batch)
        truth = exact.flat_gradient()
        for name, run in compared.items():
            run.model.load_state_dict(state)
            run.gradients(*batch)
            found[name].append(float((run.flat_gradient() - truth).norm() / truth.norm()))
        leader.gradients(*batch)
        optimizer.step()
    return {name: statistics.median(values) for name, values in found.items()}


def batch_of(step: int, count: int, size: int) -> tuple[Tensor, Tensor]:
    """Noise to classify; every fifth batch is smaller."""
    torch.manual_seed(100 + step)
    count = count * 5 // 8 if step % 5 == 4 else count
    return torch.randn(count, 3, size, size), torch.randint(0, 10, (count,))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--batch", type=int, default=64, help="pictures (default: 64)")
    parser.add_argument("--size", type=int, default=32, help="of a picture (default: 32)")
    parser.add_argument("--steps", type=int, default=20, help="updates (default: 20)")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rate = 0.1 * chosen.batch / 256
    batches = [batch_of(step, chosen.batch, chosen.size) for step in range(chosen.steps)]
    found = runs()
    for run in found.values():
        train(run, batches, rate)
    print(f"torch {torch.__version__}, {chosen.steps} steps of {chosen.batch} pictures")
    print(f"{'parameters':<30}{'from eager':>12}{'from double':>12}")
    for name, run in found.items():
        gaps = apart(run, found["eager"]), apart(run, found["eager in double"])
        print(f"{name:<30}" + "".join(f"{gap:>12.1e}" for gap in gaps))
    print(f"{'gradients at equal weights':<30}{'':>12}{'from double':>12}")
    for name, error in errors(batches, rate).items():
        print(f"{name:<30}{error:>24.1e}")


if __name__ == "__main__":
    main()
