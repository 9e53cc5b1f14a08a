"""Parts of a batch, each weighed by its size; what the scaler gives has a name before its backward."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y):
        return nn.functional.mse_loss(self.model(x), y)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.SiLU(), nn.Linear(6, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=1)

model_with_loss = ort_module(ModuleWithLoss, model)
for step in range(3):
    X, Y = torch.randn(7, 4), torch.randn(7, 1)
    optimizer.zero_grad()
    total = 0.0
    for x, y in zip(X.chunk(3), Y.chunk(3)):
        loss = model_with_loss(x, y)
        weight = len(x) / len(X)
        scaled_loss = scaler.scale(loss * weight)
        scaled_loss.backward()
        total += loss.item() * weight
    scaler.step(optimizer)
    scaler.update()
    print(f"{total:.5f} {scaler.get_scale()}")
