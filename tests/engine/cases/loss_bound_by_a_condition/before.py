"""A walrus binds the loss in the condition that decides whether it goes back."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(loader):
    for x, y in loader:
        optimizer.zero_grad()
        if (loss := criterion(model(x), y)) > 0.7:
            loss.backward()
            optimizer.step()
        print(f"{loss.item():.5f}")


def train_while_finite(loader, scale):
    for x, y in loader:
        optimizer.zero_grad()
        logits = model(x)
        if torch.isfinite(loss := criterion(logits, y)):
            (loss / scale).backward()
            optimizer.step()
            print((logits.argmax(dim=1) == y).sum().item())


batches = [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(3)]
train(batches)
train_while_finite(batches, 2)
