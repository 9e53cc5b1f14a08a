"""Trap: reading `feed.batch` draws the next batch, so that each read has to stay one."""

import torch
from torch import nn

torch.manual_seed(0)


class Feed:
    def __init__(self):
        self.drawn = 0

    @property
    def batch(self):
        self.drawn += 1
        return torch.randn(4, 6) + self.drawn


feed = Feed()
model = nn.Linear(6, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

for step in range(5):
    loss = (model(feed.batch) - model(feed.batch)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), feed.drawn)
