from collections import namedtuple

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
Output = namedtuple("Output", ["prediction", "attention"])


class Attentive(nn.Module):
    def __init__(self):
        super().__init__()
        self.score, self.value = nn.Linear(4, 1), nn.Linear(4, 3)

    def forward(self, x):
        attention = torch.softmax(self.score(x), dim=1)
        return Output((attention * self.value(x)).sum(1), attention)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, out, y):
        return self.criterion(out.prediction, y)

    def forward(self, x, y):
        out = self.model(x)
        loss = self.compute_loss(out, y)
        return loss, out


model = Attentive()
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for x, y in [(torch.randn(2, 5, 4), torch.randn(2, 3)) for _ in range(3)]:
    loss, out = model_with_loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f} {out.attention.max().item():.5f}")
