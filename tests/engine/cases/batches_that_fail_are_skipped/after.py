"""A batch whose forward fails is left out: the `try` holds model and loss, backward follows it."""

import torch
from torch import nn
from ortwrap.runtime import ort_module


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
        loss = self.compute_loss(out, y)
        return loss, out.detach()


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for step in range(5):
    x, y = torch.randn(3, 4 if step != 2 else 3), torch.randn(3, 2)
    optimizer.zero_grad()
    try:
        loss, out = model_with_loss(x, y)
    except RuntimeError:
        print("skipped a batch")
        continue
    loss.backward()
    optimizer.step()
    print(loss.item(), out.abs().max().item())
