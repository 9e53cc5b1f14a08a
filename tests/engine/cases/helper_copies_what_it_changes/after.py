"""Trap: the loss function changes its target in place, but a copy of it under the same name."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def clipped_loss(out, y):
    y = y.clone()
    y.clamp_(-1, 1)
    return criterion(out, y)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y):
        return clipped_loss(self.model(x), y)


model_with_loss = ort_module(ModuleWithLoss, model)
for step in range(4):
    x, y = torch.randn(3, 4), torch.randn(3, 2)
    optimizer.zero_grad()
    loss = model_with_loss(x, y)
    loss.backward()
    optimizer.step()
    print(loss.item(), y.max().item())
