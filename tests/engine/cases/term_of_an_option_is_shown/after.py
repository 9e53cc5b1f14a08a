"""A term that one option adds is shown on that option again: None stands there without it."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)

model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y, weight, smooth):
        out = self.model(x)
        loss = self.criterion(out, y)
        size = None
        if weight > 0:
            size = out.pow(2).mean()
            loss = loss + weight * size
        other = roughness = None
        if smooth:
            other = self.model(x + 0.1)
            roughness = (other - out).abs().mean()
            loss = loss + roughness
        return loss, size, other, roughness


def train(loader, weight, smooth):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    for x, y in loader:
        loss, size, other, roughness = model_with_loss(x, y, weight, smooth)

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        shown = [f"{loss.item():.5f}"]
        if weight > 0:
            shown.append(f"size {size.item():.5f}")
        if not smooth:
            print(*shown)
            continue
        print(*shown, f"roughness {roughness.item():.5f}", other.shape[1])


batches = [(torch.randn(5, 4), torch.randint(0, 3, (5,))) for _ in range(2)]
for weight, smooth in ((0.0, False), (0.5, False), (0.5, True), (0.0, True)):
    train(batches, weight, smooth)
