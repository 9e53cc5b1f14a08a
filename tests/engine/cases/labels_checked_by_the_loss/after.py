"""The script's own loss looks at the labels of each batch, and raises where they do not fit."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

CLASSES = 3


def checked_loss(logits, labels):
    if (labels < 0).any().item():
        raise ValueError("negative labels")
    assert labels.max().item() < CLASSES, f"labels out of range: {labels.tolist()}"
    return F.mse_loss(logits.softmax(1), F.one_hot(labels.clamp(0, 2), 3).float())


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, logits, y):
        return checked_loss(logits, y)

    def forward(self, x, y):
        logits = self.model(x)
        return self.compute_loss(logits, y)


def train(model, loader, optimizer):
    model_with_loss = ort_module(ModuleWithLoss, model)
    for x, y in loader:
        optimizer.zero_grad()
        loss = model_with_loss(x, y)
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
