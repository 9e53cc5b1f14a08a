"""Trap: the time of forward is taken, in a step that trains: it is that of forward and loss then."""

import time

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
seconds = []


def forward_and_backward(x, y):
    start = time.time()
    out = model(x)
    seconds.append(time.time() - start)
    loss = criterion(out, y)
    loss.backward()
    return loss.item()


for step in range(4):
    optimizer.zero_grad()
    print(forward_and_backward(torch.randn(3, 4), torch.randn(3, 2)))
    optimizer.step()
print(min(seconds) > 0)
