import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Autoencoder(nn.Module):
    """Its forward is the reconstruction error"""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Linear(6, 2), nn.Linear(2, 6)

    def forward(self, x):
        return ((self.up(torch.tanh(self.down(x))) - x) ** 2).mean()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)


model = Autoencoder()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

model_with_loss = ort_module(ModuleWithLoss, model)
for x in torch.randn(4, 5, 6):
    optimizer.zero_grad()
    loss = model_with_loss(x)
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
