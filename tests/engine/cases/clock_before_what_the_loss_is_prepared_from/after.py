"""A time that is taken behind the model, in front of what the loss is prepared from.

Reason: the call has to stand behind the anchors. A clock left in front of it would tell a forward
pass of no length; behind it, it tells the time of forward and loss.
"""
import time

import numpy as np
import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def make_anchors(count):
    return np.linspace(0, 1, count, dtype=np.float32)[:, None]


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, offsets, anchors, boxes):
        return self.criterion(offsets + anchors, boxes)

    def forward(self, images, anchors, boxes):
        offsets = self.model(images)
        return self.compute_loss(offsets, anchors, boxes)


model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 4))
criterion = nn.SmoothL1Loss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
spent = 0.0
model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for step in range(4):
    images, boxes = torch.randn(8, 6), torch.rand(8, 4)
    start = time.perf_counter()
    anchors = torch.from_numpy(make_anchors(8))
    loss = model_with_loss(images, anchors, boxes)
    forward = time.perf_counter() - start
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    spent += forward
assert spent > 0
