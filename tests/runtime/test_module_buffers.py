"""State that forward keeps in buffers is what eager makes of it, on ONNX Runtime."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ortwrap.runtime import ort_module


class Net(nn.Module):
    """Two layers and a buffer for each kind of state."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(6, 3)
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(6))
        self.count: Tensor
        self.register_buffer("count", torch.zeros((), dtype=torch.long))


class Center(Net):
    """DINO's: the center of what a teacher says, another tensor in each step."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        loss = -(
            F.softmax((hidden.detach() - self.mean) / 0.1, 1) * F.log_softmax(hidden, 1)
        ).mean()
        self.update(hidden)
        return loss + self.last(hidden).square().mean()

    @torch.no_grad()
    def update(self, hidden: Tensor) -> None:
        self.mean = self.mean * 0.9 + hidden.mean(0) * 0.1


class Queue(Net):
    """MoCo's without a pointer: the loss reads it, then new keys push out old ones."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: Tensor
        self.register_buffer("keys", torch.randn(6, 20))

    def forward(self, x: Tensor) -> Tensor:
        query, key = self.first(x), self.first(x.flip(0)).detach()
        loss = (query @ self.keys.clone()).square().mean()
        with torch.no_grad():
            self.keys.copy_(torch.cat([self.keys[:, len(x) :], key.T], 1))
        return loss + self.last(query).square().mean()


class PointedQueue(Queue):
    """MoCo's with a pointer that stays a tensor, and a condition on values that does too."""

    def forward(self, x: Tensor) -> Tensor:
        query = self.first(x)
        query = torch.where((query > 1.0).any(), query * 0.5, query)
        loss = (query @ self.keys.clone()).square().mean()
        with torch.no_grad():
            place = (self.count + torch.arange(x.shape[0])) % 20
            self.keys[:, place] = query.detach().T
            self.count.copy_((self.count + x.shape[0]) % 20)
        return loss + self.last(query).square().mean()


class Normalizer(Net):
    """Running statistics by hand, and a counter that scales the loss."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.count += 1
            self.mean.mul_(0.9).add_(x.mean(0).detach(), alpha=0.1)
        hidden = F.relu(self.first(x - self.mean))
        return self.last(hidden).square().mean() / self.count


class BesideBatchNorm(Net):
    """torch's own layer keeps its buffers, dropout draws, and forward keeps another one."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.dropout = nn.BatchNorm1d(6), nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.dropout(self.norm(self.first(x)))
        self.mean.lerp_(hidden.detach().mean(0), 0.2)
        self.mean[2] = 7.0
        return self.last(hidden + self.mean).square().mean()


class OwnBatchNorm(nn.BatchNorm1d):
    """The operator of torch writes to the buffers of a user's layer."""

    def forward(self, x: Tensor) -> Tensor:
        self.num_batches_tracked += 1
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, True, 0.2, self.eps
        )


class WithOwnBatchNorm(Net):
    def __init__(self) -> None:
        super().__init__()
        self.norm = OwnBatchNorm(6)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.norm(self.first(x))).square().mean()


class Twice(Net):
    """What the first call of a part writes, its second call reads."""

    def part(self, x: Tensor) -> Tensor:
        hidden = self.first(x) + self.mean
        self.mean = (self.mean + hidden.detach().mean(0)).tanh()
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.part(self.part(x))).square().mean() + self.mean.sum()


# Of five: the first one is compared, and so are other sizes; a queue has a graph for each of them.
CALLS_ON_ORT = {
    Center: 3,
    Queue: 2,
    PointedQueue: 3,
    Normalizer: 3,
    BesideBatchNorm: 3,
    WithOwnBatchNorm: 3,
    Twice: 3,
}


class Step(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


@pytest.mark.parametrize("kind", CALLS_ON_ORT)
def test_state_in_buffers_is_kept_on_ort(kind: type[nn.Module]) -> None:
    eager = kind()
    model = copy.deepcopy(eager)
    step = ort_module(Step, model)
    for size in (5, 5, 4, 5, 3):
        x = torch.randn(size, 6)
        for one, run in ((eager, eager), (model, step)):
            one.zero_grad()
            run(x).backward()
            with torch.no_grad():
                for parameter in one.parameters():
                    parameter -= 0.05 * parameter.grad
        torch.testing.assert_close(model.state_dict(), eager.state_dict(), rtol=1e-5, atol=1e-6)
    rows = step.report()["signatures"]
    assert sum(row["ort_calls"] for row in rows) >= CALLS_ON_ORT[kind], rows


def test_a_buffer_in_whose_place_another_tensor_is_put_leaves_the_old_one_alone() -> None:
    model = Center()
    step = ort_module(Step, model)
    for _ in range(2):
        step(torch.randn(5, 6))
    before, value = model.mean, model.mean.clone()
    step(torch.randn(5, 6))
    assert model.mean is not before
    assert torch.equal(before, value)


def test_a_buffer_that_keeps_a_graph_runs_eagerly() -> None:
    class KeepsGraph(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden = self.first(x)
            self.mean = hidden.mean(0)
            return self.last(hidden).square().mean()

    step = ort_module(Step, KeepsGraph())
    step(torch.randn(5, 6))
    step(torch.randn(5, 6))
    with pytest.warns(UserWarning, match="forward sets mean"):
        step(torch.randn(5, 6))
    assert {row["backend"] for row in step.report()["signatures"]} == {"eager"}
