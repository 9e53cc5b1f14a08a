import torch
import torch.nn.functional as F
from lightning.fabric import Fabric
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, output, target):
        return F.cross_entropy(output, target)

    def forward(self, data, target):
        output = self.model(data)
        return self.compute_loss(output, target)


fabric = Fabric(accelerator="cpu", devices=1)
fabric.launch()
fabric.seed_everything(0, verbose=False)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model, optimizer = fabric.setup(model, optimizer)

model_with_loss = ort_module(ModuleWithLoss, model)
for data, target in [(torch.randn(6, 4), torch.randint(0, 3, (6,))) for _ in range(4)]:
    optimizer.zero_grad()
    loss = model_with_loss(data, target)
    fabric.backward(loss)
    optimizer.step()
    fabric.print(f"{loss.item():.5f}")
