import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y):
        output = self.model(x)
        loss = self.criterion(output, y)
        # L1 regularisation
        l1_norm = sum(p.abs().sum() for p in self.model.parameters())
        return loss + l1_lambda * l1_norm


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
l1_lambda = 1e-3

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for x, y in [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(3)]:
    loss = model_with_loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
