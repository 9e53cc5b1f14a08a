"""Trap: semicolons part statements of which none, some or all go into forward."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 3)

    def forward(self, x):
        return self.encoder(x)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, first, second):
        near = self.criterion(first, second)
        total = near.clone()
        size = first.pow(2).mean()
        spread = second.pow(2).mean()
        shift = (first - second).mean()
        distance = shift.abs()
        return total - 0.1 * (size + spread) + distance

    def forward(self, x, y):
        first = self.model(x)
        second = self.model(y)
        return self.compute_loss(first, second)


def train(model, criterion, optimizer, batches):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    for x, y in batches:
        optimizer.zero_grad()
        loss = model_with_loss(x, y); print(len(x))
        # how far apart
        loss.backward(); optimizer.step()
        print(loss.item())


model = Siamese()
batches = [(torch.randn(8, 4), torch.randn(8, 4)) for _ in range(5)]
train(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), batches)
