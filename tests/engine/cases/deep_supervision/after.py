import torch
import torch.nn as nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Pyramid(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList(nn.Linear(6, 6) for _ in range(3))

    def forward(self, x):
        outs = []
        for stage in self.stages:
            x = torch.tanh(stage(x))
            outs.append(x)
        return outs


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, outputs, y):
        loss = 0.0
        for output in outputs:
            loss += self.criterion(output, y)
        return loss

    def forward(self, x, y):
        outputs = self.model(x)
        return self.compute_loss(outputs, y)


model = Pyramid()
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for x, y in [(torch.randn(4, 6), torch.randn(4, 6)) for _ in range(3)]:
    loss = model_with_loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
