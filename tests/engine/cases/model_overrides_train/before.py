"""Trap: `train()` of this model means something else, and nothing may call it besides the script."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU())
        self.head = nn.Linear(8, 3)
        self.calls = 0

    def forward(self, x):
        return self.head(self.backbone(x))

    def train(self, mode=True, frozen=True):
        self.calls += 1
        self.head.train(mode)
        self.backbone.train(mode and not frozen)


model = Detector()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model.train(True, frozen=True)

for step in range(5):
    if step == 3:
        model.train(True, frozen=False)
    x, y = torch.randn(4, 6), torch.randint(3, (4,))
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), model.calls, model.backbone.training)
