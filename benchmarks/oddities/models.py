"""Small forms of models as people write them, with what is odd about each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .play import Make, Squared, Step, rows, script, train


@script
def a_divergence_kept_for_the_loss(make: Make) -> Iterator[Any]:
    class Autoencoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = nn.Linear(6, 8), nn.Linear(4, 6)
            self.kl: Any = None

        def decode(self, x: Tensor) -> Tensor:
            mean, variance = self.encoder(x).chunk(2, 1)
            self.kl = -0.5 * (1 + variance - mean**2 - variance.exp()).sum(1).mean()
            noise = torch.randn_like(mean)
            return self.decoder(mean + noise * (0.5 * variance).exp())

        def forward(self, x: Tensor) -> Tensor:
            return F.mse_loss(self.decode(x), x) + self.kl

    yield from train(make, Autoencoder(), lambda index: (rows(5 + index % 2),))


class Experts(nn.Module):
    """Mixtral's: each row goes through the two experts that the router prefers."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(6, 3, bias=False)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(6, 8), nn.SiLU(), nn.Linear(8, 6)) for _ in range(3)
        )
        self.aux_loss: Any = 0.0

    def forward(self, x: Tensor) -> Tensor:
        share = F.softmax(self.router(x), 1)
        weights, chosen = torch.topk(share, 2)
        weights = weights / weights.sum(1, keepdim=True)
        routed = F.one_hot(chosen, 3).permute(2, 1, 0)
        self.aux_loss = 3 * (share.mean(0) * routed.float().sum(1).mean(1)).sum()
        result = torch.zeros_like(x)
        for index, expert in enumerate(self.experts):
            place, row = torch.where(routed[index])
            result.index_add_(0, row, expert(x[row]) * weights[row, place, None])
        return result


@script
def a_mixture_of_experts_whose_balance_is_added_outside(make: Make) -> Iterator[Any]:
    model = Experts()
    step = make(Squared, model)
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    for index in range(7):
        loss = step(rows(9 + index % 2)) + 0.1 * model.aux_loss
        optimizer.zero_grad()
        loss.backward()
        yield loss, model.aux_loss, model.router.weight.grad
        optimizer.step()


@script
def a_memory_of_the_segment_before(make: Make) -> Iterator[Any]:
    class Memory(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(6, 2, batch_first=True)
            self.memory: Any = None

        def forward(self, x: Tensor) -> Tensor:
            keys = x if self.memory is None else torch.cat([self.memory, x], 1)
            ahead = keys.size(1) - x.size(1)
            late = torch.full((x.size(1), keys.size(1)), True).triu(1 + ahead)
            result, _ = self.attention(x, keys, keys, attn_mask=late)
            self.memory = x[:, -3:].detach()
            return result

    def begin(model: nn.Module, index: int) -> None:
        if index == 6:
            model.memory = None

    batch = lambda _: (torch.randn(2, 5, 6),)  # noqa: E731
    yield from train(make, Memory(), batch, kind=Squared, between=begin, steps=10)


@script
def a_graph_whose_edges_come_and_go(make: Make) -> Iterator[Any]:
    class Convolution(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(6, 6, bias=False)

        def forward(self, x: Tensor, edges: Tensor) -> Tensor:
            loops = torch.arange(x.size(0)).unsqueeze(0).repeat(2, 1)
            source, target = torch.cat([edges, loops], 1)
            degree = torch.zeros(x.size(0)).scatter_add_(0, target, torch.ones(target.size(0)))
            scale = degree.pow(-0.5)
            scale[scale == float("inf")] = 0
            messages = self.linear(x)[source] * (scale[source] * scale[target]).unsqueeze(1)
            return torch.zeros_like(x).index_add_(0, target, messages)

    batch = lambda index: (rows(8), torch.randint(0, 8, (2, 20 + index)))  # noqa: E731
    yield from train(make, Convolution(), batch, kind=Squared)


@script
def a_pointer_that_never_points_twice(make: Make) -> Iterator[Any]:
    class Pointer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.cell = nn.Linear(2, 8), nn.GRUCell(2, 8)

        def forward(self, x: Tensor, order: Tensor) -> Tensor:
            keys, state = self.encoder(x), x.new_zeros(x.size(0), 8)
            given, visited = x.new_zeros(x.size(0), 2), torch.full(x.shape[:2], False)
            loss = x.new_zeros(())
            for step in range(order.size(1)):
                state = self.cell(given, state)
                scores = (keys * state.unsqueeze(1)).sum(2).masked_fill(visited == True, -1e9)  # noqa: E712
                loss = loss + F.cross_entropy(scores, order[:, step])
                visited = visited.scatter(1, order[:, step : step + 1], True)
                given = x[torch.arange(x.size(0)), order[:, step]]
            return loss

    def batch(index: int) -> tuple[Tensor, Tensor]:
        count = 3 + index % 3
        return torch.rand(count, 4, 2), torch.stack([torch.randperm(4) for _ in range(count)])

    yield from train(make, Pointer(), batch)


@script
def positions_that_grow_with_the_longest_sequence(make: Make) -> Iterator[Any]:
    class Rotary(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(6, 6)
            self.cached: Any = None

        def forward(self, x: Tensor) -> Tensor:
            length = x.size(1)
            if self.cached is None or self.cached[0].size(0) < length:
                angles = torch.outer(torch.arange(length).float(), torch.rand(3))
                self.cached = (angles.cos().repeat(1, 2), angles.sin().repeat(1, 2))
            cos, sin = (part[:length] for part in self.cached)
            y = self.linear(x)
            one, two = y.chunk(2, -1)
            return y * cos + torch.cat((-two, one), -1) * sin

    batch = lambda index: (torch.randn(3, 5 + index % 2, 6),)  # noqa: E731
    yield from train(make, Rotary(), batch, kind=Squared)


@script
def voxels_that_are_hashed(make: Make) -> Iterator[Any]:
    class Hashed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(64, 4), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            near = x.floor()
            result = x.new_zeros(x.size(0), 4)
            for corner in range(8):
                offset = torch.tensor([corner & 1, corner >> 1 & 1, corner >> 2])
                place = near.long() + offset
                key = (place[:, 0] ^ place[:, 1] * 2654435761 ^ place[:, 2] * 805459861) % 64
                weight = torch.where(offset.bool(), x - near, 1 - (x - near)).prod(1, keepdim=True)
                result = result + weight * self.table(key)
            return torch.sin(self.head(result)).square().mean()

    yield from train(make, Hashed(), lambda index: (torch.rand(6 + index % 2, 3) * 7,), kind=Step)
