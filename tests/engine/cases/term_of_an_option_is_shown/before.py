"""A term that one option adds is shown on that option again: None stands there without it."""

import torch
from torch import nn

torch.manual_seed(0)

model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()


def train(loader, weight, smooth):
    for x, y in loader:
        out = model(x)
        loss = criterion(out, y)
        if weight > 0:
            size = out.pow(2).mean()
            loss = loss + weight * size
        if smooth:
            other = model(x + 0.1)
            roughness = (other - out).abs().mean()
            loss = loss + roughness

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
