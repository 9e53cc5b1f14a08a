"""A temperature that another file keeps is set between model and loss: the call stands behind it."""

import settings
import torch
from tempered import tempered_loss
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, logits, y):
        return tempered_loss(logits, y)

    def forward(self, x, y):
        logits = self.model(x)
        return self.compute_loss(logits, y)


torch.manual_seed(0)

model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model)
for step in range(6):
    x, y = torch.randn(5, 6), torch.randint(0, 4, (5,))
    settings.TEMPERATURE = 4.0 - min(step, 3)
    loss = model_with_loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{settings.TEMPERATURE:.1f} {loss.item():.4f}")
