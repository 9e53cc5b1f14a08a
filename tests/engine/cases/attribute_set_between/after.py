"""What the step has seen is kept with `setattr` between the model and its loss."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class State:
    """What a progress bar shows."""


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, out, y):
        return self.criterion(out, y)

    def forward(self, x, y):
        out = self.model(x)
        return self.compute_loss(out, y)


state = State()
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for step in range(4):
    x, y = torch.randn(3, 4), torch.randn(3, 2)
    optimizer.zero_grad()
    loss = model_with_loss(x, y)
    for name, value in {"step": step, "size": len(x)}.items():
        setattr(state, name, value)
    loss.backward()
    optimizer.step()
    print(loss.item(), vars(state))
