"""Walrus, match, async and annotations around ordinary steps."""
import asyncio

import torch
import torch.nn.functional as F
from torch import Tensor, nn

torch.manual_seed(0)
model: nn.Module = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
batches = [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(3)]


def train(source, /, *, weight: float = 1.0) -> None:
    it = iter(source)
    while (batch := next(it, None)) is not None:
        x, y = batch
        optimizer.zero_grad()
        (loss := F.cross_entropy(model(x), y) * weight).backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


def dispatch(batch: tuple[Tensor, Tensor] | None) -> None:
    match batch:
        case None:
            print("nothing")
        case (x, y):
            optimizer.zero_grad()
            out: Tensor = model(x)
            loss: Tensor = F.cross_entropy(out, y)
            loss.backward()
            optimizer.step()
            print(f"{loss.item():.5f} {out.argmax().item()}")


async def stream(queue: "asyncio.Queue[tuple[Tensor, Tensor]]") -> None:
    while not queue.empty():
        x, y = await queue.get()
        optimizer.zero_grad()
        loss = F.cross_entropy(out := model(x), y)
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
