"""Whatever runs backward stays as it is."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Accelerator:
    def prepare(self, *objects):
        return objects

    def backward(self, loss, **kwargs):
        loss.backward(**kwargs)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, output, targets):
        return nn.functional.cross_entropy(output, targets)

    def forward(self, source, targets):
        output = self.model(source)
        return self.compute_loss(output, targets)


accelerator = Accelerator()
model = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 2))
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
train_dataloader = [(torch.randn(4, 5), torch.randint(0, 2, (4,))) for _ in range(3)]
model, optimizer, train_dataloader = accelerator.prepare(model, optimizer, train_dataloader)

model_with_loss = ort_module(ModuleWithLoss, model)
for source, targets in train_dataloader:
    optimizer.zero_grad()
    loss = model_with_loss(source, targets)
    accelerator.backward(loss)
    optimizer.step()
    print(f"{loss.item():.5f}")
