"""Trap: semicolons part statements of which none, some or all go into forward."""

import torch
from torch import nn

torch.manual_seed(0)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 3)

    def forward(self, x):
        return self.encoder(x)


def train(model, criterion, optimizer, batches):
    for x, y in batches:
        optimizer.zero_grad(); first = model(x); second = model(y)
        near = criterion(first, second); print(len(x)); total = near.clone()
        size = first.pow(2).mean(); spread = second.pow(2).mean()
        shift = (first - second).mean(); distance = shift.abs()  # how far apart
        loss = total - 0.1 * (size + spread) + distance; loss.backward(); optimizer.step()
        print(loss.item())


model = Siamese()
batches = [(torch.randn(8, 4), torch.randn(8, 4)) for _ in range(5)]
train(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), batches)
