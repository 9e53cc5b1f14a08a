"""Trap: reading `feed.batch` draws the next batch, so that each read has to stay one."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Feed:
    def __init__(self):
        self.drawn = 0

    @property
    def batch(self):
        self.drawn += 1
        return torch.randn(4, 6) + self.drawn


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, batch, batch_2):
        return (self.model(batch) - self.model(batch_2)).pow(2).mean()


feed = Feed()
model = nn.Linear(6, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

model_with_loss = ort_module(ModuleWithLoss, model)
for step in range(5):
    loss = model_with_loss(feed.batch, feed.batch)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), feed.drawn)
