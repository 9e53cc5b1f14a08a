"""Trap: the time of forward is taken, in a step that trains: it is that of forward and loss then."""

import time

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
seconds = []


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `forward_and_backward`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, out, y):
        return self.criterion(out, y)

    def forward(self, x, y):
        out = self.model(x)
        return self.compute_loss(out, y)


def forward_and_backward(x, y):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    start = time.time()
    loss = model_with_loss(x, y)
    seconds.append(time.time() - start)
    loss.backward()
    return loss.item()


for step in range(4):
    optimizer.zero_grad()
    print(forward_and_backward(torch.randn(3, 4), torch.randn(3, 2)))
    optimizer.step()
print(min(seconds) > 0)
