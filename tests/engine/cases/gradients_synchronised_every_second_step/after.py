"""`no_sync` as in DistributedDataParallel: the step stands in two branches."""
import contextlib

import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


torch.manual_seed(0)
model = nn.Linear(4, 2)
model.no_sync = contextlib.nullcontext
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for i, (x, y) in enumerate([(torch.randn(3, 4), torch.randn(3, 2)) for _ in range(4)]):
    if i % 2 == 0:
        with model.no_sync():
            loss = model_with_loss(x, y)
            loss.backward()
    else:
        loss = model_with_loss(x, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    print(f"{loss.item():.5f}")
