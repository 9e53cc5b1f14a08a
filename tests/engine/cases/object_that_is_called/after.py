"""What the script calls is no module, but an object that runs two of them."""

import torch
from torch import nn
from ortwrap.runtime import ort_module


class Field:
    def __init__(self, width):
        self.coarse = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 4))
        self.fine = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 4))
        self.scale = 0.5

    def parameters(self):
        return [*self.coarse.parameters(), *self.fine.parameters()]

    def __call__(self, points):
        rough = self.coarse(points)
        return rough + self.scale * self.fine(points)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, coarse, fine, nerf):
        super().__init__()
        self.coarse = coarse
        self.fine = fine
        self.nerf = nerf

    def forward(self, points, target):
        predicted = self.nerf(points)
        return ((predicted - target) ** 2).mean()


def train(nerf, optimizer, steps):
    for step in range(steps):
        points = torch.rand(32, 3)
        target = points.sum(1, keepdim=True).expand(-1, 4)
        coarse_with_loss = ort_module(ModuleWithLoss, nerf.coarse, nerf.fine, nerf)
        loss = coarse_with_loss(points, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{step} {loss.item():.5f}")


torch.manual_seed(0)
nerf = Field(16)
train(nerf, torch.optim.SGD(nerf.parameters(), lr=0.1), steps=4)
