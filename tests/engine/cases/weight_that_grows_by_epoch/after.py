"""The weight of the second term is ramped up, so it must reach the graph as an argument."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, out, x, beta):
        return self.criterion(out, x) + beta * out.pow(2).mean()

    def forward(self, x, beta):
        out = self.model(x)
        return self.compute_loss(out, x, beta)


torch.manual_seed(0)
model = nn.Linear(4, 4)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for epoch in range(3):
    beta = min(1.0, epoch / 2)
    for x in torch.randn(2, 3, 4):
        loss = model_with_loss(x, beta)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{epoch} {loss.item():.5f}")
