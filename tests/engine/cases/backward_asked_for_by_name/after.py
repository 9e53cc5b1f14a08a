"""`backward` of a scaled loss, cast for type checkers, or asked for by its name."""
from typing import cast

import torch
from torch import Tensor, nn
from ortwrap.runtime import ort_module


class HalfScaler:
    def scale(self, loss):
        return loss * 0.5


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, logits, y):
        return self.criterion(logits, y)

    def forward(self, x, y):
        logits = self.model(x)
        return self.compute_loss(logits, y)


def train(loader, scaler=None):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    for x, y in loader:
        optimizer.zero_grad()
        loss = model_with_loss(x, y)
        if scaler is not None:
            cast(Tensor, scaler.scale(loss)).backward()
        else:
            getattr(loss, "backward")()
        optimizer.step()
        print(f"{loss.item():.5f}")


batches = [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(3)]
train(batches)
train(batches, HalfScaler())
