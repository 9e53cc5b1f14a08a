"""Several threads of one process that train."""

from __future__ import annotations

import threading
import warnings

import torch
from torch import Tensor, nn
from twins import WithLoss, mlp

from ortwrap.runtime import OrtwrapWarning, ort_module


def _batches(seed: int, count: int) -> list[tuple[Tensor, Tensor]]:
    drawn = torch.Generator().manual_seed(seed)
    return [
        (
            torch.randn(4 + index % 3, 8, generator=drawn),
            torch.randint(0, 4, (4 + index % 3,), generator=drawn),
        )
        for index in range(count)
    ]


def _losses(step: nn.Module, model: nn.Module, seed: int) -> list[float]:
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    for data, target in _batches(seed, 20):
        loss = step(data, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_threads_that_train_meanwhile() -> None:
    models = [mlp(8, 4) for _ in range(3)]
    expected = []
    for seed, model in enumerate(models):
        twin = mlp(8, 4)
        twin.load_state_dict(model.state_dict())
        expected.append(_losses(WithLoss(twin, nn.CrossEntropyLoss()), twin, seed))
    found: dict[int, list[float]] = {}
    together = threading.Barrier(3)

    def train(seed: int) -> None:
        step = ort_module(WithLoss, models[seed], nn.CrossEntropyLoss())
        together.wait()
        found[seed] = _losses(step, models[seed], seed)

    threads = [threading.Thread(target=train, args=(seed,)) for seed in range(3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OrtwrapWarning)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for seed, losses in enumerate(expected):
        torch.testing.assert_close(found[seed], losses, rtol=1e-4, atol=1e-5)


def test_threads_that_share_a_step() -> None:
    model = mlp(8, 4)
    step = ort_module(WithLoss, model, nn.CrossEntropyLoss())
    batches = _batches(0, 3)
    for batch in (*batches, *batches):
        step(*batch).backward()
    eager = WithLoss(model, nn.CrossEntropyLoss())
    expected = [eager(*batch).item() for batch in batches]
    found: dict[int, set[float]] = {}

    def call(index: int) -> None:
        found[index] = {round(step(*batches[index]).item(), 4) for _ in range(200)}

    threads = [threading.Thread(target=call, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, value in enumerate(expected):
        torch.testing.assert_close(sorted(found[index]), [value], rtol=0, atol=1e-3)
