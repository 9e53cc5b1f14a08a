"""Trap: `train()` of this model means something else, and nothing may call it besides the script."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

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


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y):
        return F.cross_entropy(self.model(x), y)


model = Detector()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model.train(True, frozen=True)

model_with_loss = ort_module(ModuleWithLoss, model)
for step in range(5):
    if step == 3:
        model.train(True, frozen=False)
    x, y = torch.randn(4, 6), torch.randint(3, (4,))
    loss = model_with_loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), model.calls, model.backbone.training)
