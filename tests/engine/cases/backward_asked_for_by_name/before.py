"""`backward` of a scaled loss, cast for type checkers, or asked for by its name."""
from typing import cast

import torch
from torch import Tensor, nn


class HalfScaler:
    def scale(self, loss):
        return loss * 0.5


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(loader, scaler=None):
    for x, y in loader:
        optimizer.zero_grad()
        logits = model(x)
        loss = criterion(logits, y)
        if scaler is not None:
            cast(Tensor, scaler.scale(loss)).backward()
        else:
            getattr(loss, "backward")()
        optimizer.step()
        print(f"{loss.item():.5f}")


batches = [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(3)]
train(batches)
train(batches, HalfScaler())
