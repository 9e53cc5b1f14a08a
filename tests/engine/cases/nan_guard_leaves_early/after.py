import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, pred, y):
        return self.criterion(pred, y)

    def forward(self, x, y):
        pred = self.model(x)
        return self.compute_loss(pred, y)


torch.manual_seed(0)
model = nn.Linear(4, 2)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
batches = [(torch.randn(3, 4), torch.randn(3, 2)) for _ in range(4)]
batches[1][0][0, 0] = float("nan")  # a broken sample

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for step, (x, y) in enumerate(batches):
    loss = model_with_loss(x, y)
    if torch.isnan(loss):
        print("skipping batch", step)
        continue
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, f"{loss.item():.5f}")
