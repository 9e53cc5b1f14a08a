"""A walrus binds the loss in the condition that decides whether it goes back."""
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y):
        return self.criterion(self.model(x), y)


def train(loader):
    model_with_loss = ort_module(ModelWithLoss, model, criterion)
    for x, y in loader:
        optimizer.zero_grad()
        if (loss := model_with_loss(x, y)) > 0.7:
            loss.backward()
            optimizer.step()
        print(f"{loss.item():.5f}")


class ModelWithTotalLoss(nn.Module):
    """Forward pass and loss of `train_while_finite`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, logits, y):
        return self.criterion(logits, y)

    def forward(self, x, y):
        logits = self.model(x)
        total_loss = self.compute_loss(logits, y)
        return total_loss, logits.detach()


def train_while_finite(loader, scale):
    model_with_total_loss = ort_module(ModelWithTotalLoss, model, criterion)
    for x, y in loader:
        optimizer.zero_grad()
        total_loss, logits = model_with_total_loss(x, y)
        if torch.isfinite(loss := total_loss):
            (loss / scale).backward()
            optimizer.step()
            print((logits.argmax(dim=1) == y).sum().item())


batches = [(torch.randn(5, 4), torch.randint(0, 2, (5,))) for _ in range(3)]
train(batches)
train_while_finite(batches, 2)
