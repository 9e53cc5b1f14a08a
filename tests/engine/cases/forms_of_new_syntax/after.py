"""Walrus, match, async and annotations around ordinary steps."""
import asyncio

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
model: nn.Module = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
batches = [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(3)]


class ModelWithTotalLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y, weight):
        return F.cross_entropy(self.model(x), y) * weight


def train(source, /, *, weight: float = 1.0) -> None:
    model_with_total_loss = ort_module(ModelWithTotalLoss, model)
    it = iter(source)
    while (batch := next(it, None)) is not None:
        x, y = batch
        optimizer.zero_grad()
        (loss := model_with_total_loss(x, y, weight)).backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `dispatch`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, out, y):
        return F.cross_entropy(out, y)

    def forward(self, x, y):
        out: Tensor = self.model(x)
        loss = self.compute_loss(out, y)
        return loss, out.detach()


def dispatch(batch: tuple[Tensor, Tensor] | None) -> None:
    model_with_loss = ort_module(ModelWithLoss, model)
    match batch:
        case None:
            print("nothing")
        case (x, y):
            optimizer.zero_grad()
            loss, out = model_with_loss(x, y)
            loss.backward()
            optimizer.step()
            print(f"{loss.item():.5f} {out.argmax().item()}")


class StreamWithLoss(nn.Module):
    """Forward pass and loss of `stream`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y):
        loss = F.cross_entropy(out := self.model(x), y)
        return loss, out.detach()


async def stream(queue: "asyncio.Queue[tuple[Tensor, Tensor]]") -> None:
    model_with_loss = ort_module(StreamWithLoss, model)
    while not queue.empty():
        x, y = await queue.get()
        optimizer.zero_grad()
        loss, out = model_with_loss(x, y)
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f} {(out.argmax(1) == y).sum()}")


async def main() -> None:
    queue: "asyncio.Queue[tuple[Tensor, Tensor]]" = asyncio.Queue()
    for batch in batches:
        queue.put_nowait(batch)
    await stream(queue)


train(batches, weight=0.5)
for batch in (None, *batches):
    dispatch(batch)
asyncio.run(main())
