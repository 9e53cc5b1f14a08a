"""Fine-tuning: the backbone stays in eval mode, its running statistics must not move."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class FineTuned(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.ReLU())
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return self.head(self.backbone(x))


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


model = FineTuned()
for parameter in model.backbone.parameters():
    parameter.requires_grad = False
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for epoch in range(2):
    model.train()
    model.backbone.eval()
    for x, y in [(torch.randn(4, 6), torch.randint(0, 2, (4,))) for _ in range(2)]:
        loss = model_with_loss(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")
    model.eval()
