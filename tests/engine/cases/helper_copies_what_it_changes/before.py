"""Trap: the loss function changes its target in place, but a copy of it under the same name."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def clipped_loss(out, y):
    y = y.clone()
    y.clamp_(-1, 1)
    return criterion(out, y)


for step in range(4):
    x, y = torch.randn(3, 4), torch.randn(3, 2)
    optimizer.zero_grad()
    loss = clipped_loss(model(x), y)
    loss.backward()
    optimizer.step()
    print(loss.item(), y.max().item())
