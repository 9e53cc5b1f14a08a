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
        return self.criterion(self.model(x), y)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
model = torch.compile(model, backend="eager")
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for x, y in [(torch.randn(6, 4), torch.randn(6, 1)) for _ in range(3)]:
    optimizer.zero_grad()
    loss = model_with_loss(x, y)
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")

model.eval()
print(f"{model(torch.ones(1, 4)).item():.5f}")
