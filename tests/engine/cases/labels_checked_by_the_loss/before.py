"""The script's own loss looks at the labels of each batch, and raises where they do not fit."""

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 3


def checked_loss(logits, labels):
    if (labels < 0).any().item():
        raise ValueError("negative labels")
    assert labels.max().item() < CLASSES, f"labels out of range: {labels.tolist()}"
    return F.mse_loss(logits.softmax(1), F.one_hot(labels.clamp(0, 2), 3).float())


def train(model, loader, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        logits = model(x)
        loss = checked_loss(logits, y)
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}")


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
batches = [(torch.randn(size, 6), torch.randint(0, 3, (size,))) for size in (8, 8, 5, 8, 8)]
train(model, batches, optimizer)
for wrong in (-1, 3):
    try:
        train(model, [(torch.randn(8, 6), torch.full((8,), wrong))], optimizer)
    except (ValueError, AssertionError) as error:
        print(error)
