import torch
from torch import nn

import settings
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, target, seen_len, weights):
        return self.criterion(output, target) * seen_len / weights * settings.scale

    def forward(self, data, target, seen_len, weights):
        output = self.model(data)
        return self.compute_loss(output, target, seen_len, weights)


torch.manual_seed(0)

model = nn.Linear(4, 3)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

seen = set()
weights = [3.0, 1.0, 2.0]

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for step in range(8):
    data, target = torch.randn(8, 4), torch.randint(0, 3, (8,))
    seen.add(step % 3)
    weights.sort()
    settings.scale = 1.0 + step // 4
    loss = model_with_loss(data, target, len(seen), weights[-1])
    weights.reverse()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.3f}")
