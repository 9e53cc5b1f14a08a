"""A queue of earlier outputs goes into the graph as a list does, and keeps its length."""

from __future__ import annotations

from collections import deque

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ortwrap.runtime import ort_module


class Remembering(nn.Module):
    """Compares outputs with those of earlier steps; `keeps` puts the new ones there itself."""

    def __init__(self, model: nn.Module, keeps: bool) -> None:
        super().__init__()
        self.model = model
        self.keeps = keeps

    def forward(self, data: Tensor, target: Tensor, memory: deque[Tensor]) -> tuple[Tensor, Tensor]:
        out = self.model(data)
        loss = F.cross_entropy(out, target)
        if memory:
            loss = loss + 0.1 * (out @ torch.cat(list(memory)).t()).square().mean()
        if self.keeps:
            memory.append(out.detach())
        return loss, out.detach()


def _train(keeps: bool, on_ort: bool) -> tuple[list[float], Tensor, list[str]]:
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    memory: deque[Tensor] = deque(maxlen=2)
    step = ort_module(Remembering, model, keeps) if on_ort else Remembering(model, keeps)
    losses = []
    for _ in range(5):
        data, target = torch.randn(5, 4), torch.randint(0, 3, (5,))
        loss, out = step(data, target, memory)
        if not keeps:
            memory.append(out)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    signatures = step.report()["signatures"] if on_ort else ()
    return losses, torch.cat(list(memory)), [signature["backend"] for signature in signatures]


@pytest.mark.parametrize("keeps", [False, True])
def test_a_queue_is_read_as_eager_reads_it(keeps: bool) -> None:
    expected, expected_memory, _ = _train(keeps, on_ort=False)
    losses, memory, backends = _train(keeps, on_ort=True)
    assert losses == pytest.approx(expected, abs=1e-5)
    assert torch.allclose(memory, expected_memory, atol=1e-5)
    # One graph for each length that the queue had; what forward itself fills, eager fills.
    assert set(backends) == ({"eager"} if keeps else {"ort"})
