"""Run by `test_distributed.py` on each of two ranks: trains eagerly and on ONNX Runtime, compares.

python two_ranks.py RANK STORE
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import os
import sys
from collections.abc import Callable, Iterator

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ortwrap.runtime import ort_module

RANK, STORE = int(sys.argv[1]), sys.argv[2]


class Net(nn.Module):
    """With buffers to broadcast; a layer of it may be left out."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 4)
        self.norm = nn.BatchNorm1d(16)
        self.spare = nn.Linear(16, 4)

    def forward(self, data: Tensor, spare: bool = False) -> Tensor:
        hidden = self.norm(torch.tanh(self.first(data)))
        return self.last(hidden) + (self.spare(hidden) if spare else 0)


class Step(nn.Module):
    """What the engine emits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, data: Tensor, target: Tensor, spare: bool) -> tuple[Tensor, Tensor]:
        output = self.model(data, spare)
        return F.cross_entropy(output, target), output.detach()


class Twice(Step):
    def forward(self, data: Tensor, target: Tensor, spare: bool) -> tuple[Tensor, Tensor]:
        output = self.model(data, spare) + self.model(-data, spare)
        return F.cross_entropy(output, target), output.detach()


class Inner(Step):
    """Looks into the wrapped model as well as calling it."""

    def forward(self, data: Tensor, target: Tensor, spare: bool) -> tuple[Tensor, Tensor]:
        loss, output = super().forward(data, target, spare)
        return loss + 0.01 * self.model.module.first.weight.pow(2).sum(), output


class Gathers(Step):
    """Its loss needs what the other ranks computed."""

    def forward(self, data: Tensor, target: Tensor, spare: bool) -> tuple[Tensor, Tensor]:
        output = self.model(data, spare)
        total = output.detach().sum()
        dist.all_reduce(total)
        return F.cross_entropy(output, target) * torch.sigmoid(total), output.detach()


@contextlib.contextmanager
def synchronised(model: DistributedDataParallel, now: bool) -> Iterator[None]:
    with contextlib.nullcontext() if now else model.no_sync():
        yield


def train(
    kind: type[nn.Module],
    call: Callable[..., nn.Module],
    options: dict[str, bool],
    spare: Callable[[int], bool],
    steps: int = 7,
) -> tuple[list[Tensor], nn.Module]:
    """Trains on this rank's data; every third step only accumulates."""
    torch.manual_seed(0)
    net = Net()
    if not options and spare(0) is False:
        net.spare.requires_grad_(False)
    model = DistributedDataParallel(net, **options)
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 0.1, momentum=0.9)
    torch.manual_seed(10 + RANK)
    seen: list[Tensor] = []
    for number in range(steps):
        # The ranks' batches differ in size, as the last ones of an epoch do.
        data, target = torch.randn(6 + RANK, 8), torch.randint(0, 4, (6 + RANK,))
        now = number % 3 != 1 or bool(options)
        with synchronised(model, now):
            loss, output = call(kind, model)(data, target, spare(number))
            loss.backward()
        seen += [loss.detach().clone(), output.clone()]
        seen += [torch.zeros(1) if p.grad is None else p.grad.clone() for p in net.parameters()]
        seen += [torch.tensor(float(p.grad is None)) for p in net.parameters()]
        if now:
            optimizer.step()
            optimizer.zero_grad()
    seen += [value.clone() for value in net.state_dict().values()]
    return seen, model


def both(
    kind: type[nn.Module],
    ort_calls: int | None,
    spare: Callable[[int], bool] = lambda number: False,
    **options: bool,
) -> str:
    expected, _ = train(kind, lambda made, model: made(model), options, spare)
    found, model = train(kind, ort_module, options, spare)
    for index, (mine, theirs) in enumerate(zip(found, expected)):
        torch.testing.assert_close(
            mine, theirs, rtol=2e-5, atol=2e-6, msg=lambda text, at=index: f"value {at}: {text}"
        )
    rows = ort_module(kind, model).report()["signatures"]
    ran = sum(row["ort_calls"] for row in rows)
    assert ort_calls is None or ran == ort_calls, rows
    return f"{kind.__name__} {options}: {ran} on ORT, {[row['reason'] for row in rows]}"


def main() -> None:
    dist.init_process_group(
        "gloo",
        init_method=f"file://{STORE}",
        rank=RANK,
        world_size=2,
        timeout=datetime.timedelta(minutes=10),
    )
    print(both(Step, 6))
    print(both(Inner, 6))
    print(both(Step, None, lambda number: number % 2 == 0, find_unused_parameters=True))
    print(both(Step, 6, lambda number: True, static_graph=True))
    print(both(Step, 6, lambda number: True, gradient_as_bucket_view=True))
    print(both(Twice, 0))
    print(both(Gathers, 0))
    # One rank decides alone: the other neither waits for ever nor computes anything else.
    if RANK == 1:
        os.environ["ORTWRAP_BACKEND"] = "eager"
    print(both(copy.copy(type("Alone", (Step,), {})), 0 if RANK else 6))
    dist.barrier()
    dist.destroy_process_group()
    print("done")


main()
