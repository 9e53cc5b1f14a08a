"""Trap: the loss comes from a function that finds model and batch in globals."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def compute():
    return criterion(model(x), y)


for step in range(4):
    x, y = torch.randn(3, 4), torch.randn(3, 2)
    optimizer.zero_grad()
    loss = compute()
    loss.backward()
    optimizer.step()
    print(loss.item())
