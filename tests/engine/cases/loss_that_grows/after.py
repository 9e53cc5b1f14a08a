import torch
import torch.nn as nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, prediction, y):
        loss = self.criterion(prediction, y)
        loss += weight * prediction.abs().mean()
        return loss

    def forward(self, x, y):
        prediction = self.model(x)
        return self.compute_loss(prediction, y)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
weight = 0.01

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for x, y in [(torch.randn(6, 4), torch.randn(6, 2)) for _ in range(4)]:
    # keep the outputs small
    loss = model_with_loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print("%.5f" % loss.item())
