"""Polynomial fit by tensor operations, no criterion."""
import torch
from ortwrap.runtime import ort_module


class ModuleWithLoss(torch.nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, fc):
        super().__init__()
        self.fc = fc

    def compute_loss(self, y_pred, y):
        return (y_pred - y).pow(2).sum()

    def forward(self, x, y):
        y_pred = self.fc(x)
        loss = self.compute_loss(y_pred, y)
        return loss, y_pred.detach()


torch.manual_seed(0)
x = torch.linspace(-1, 1, 20).unsqueeze(1).pow(torch.tensor([1.0, 2.0, 3.0]))
y = torch.sin(3 * x[:, :1])
fc = torch.nn.Linear(3, 1)
optimizer = torch.optim.RMSprop(fc.parameters(), lr=1e-2)

fc_with_loss = ort_module(ModuleWithLoss, fc)
for t in range(4):
    loss, y_pred = fc_with_loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(t, f"{y_pred.detach().mean():.5f}")
