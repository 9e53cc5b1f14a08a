"""Trap: the loss comes from a function that finds model and batch in globals."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `compute`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


def compute():
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    return model_with_loss(x, y)


for step in range(4):
    x, y = torch.randn(3, 4), torch.randn(3, 2)
    optimizer.zero_grad()
    loss = compute()
    loss.backward()
    optimizer.step()
    print(loss.item())
