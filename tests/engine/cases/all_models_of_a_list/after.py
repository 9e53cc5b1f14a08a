"""An ensemble in a plain list: all of it is in the loss, and it grows once."""
import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def optimizer_of(nets):
    return torch.optim.SGD([p for net in nets for p in net.parameters()], lr=0.1)


class ModelsWithLoss(nn.Module):
    """Forward pass and loss of `train_apart`, exported to ONNX Runtime as one graph."""

    def __init__(self, criterion, *models):
        super().__init__()
        self.criterion = criterion
        self.models = nn.ModuleList(models)

    def forward(self, x, y):
        return sum(self.criterion(model(x), y) for model in self.models)


def train_apart(models, loader, criterion):
    models_with_loss = ort_module(ModelsWithLoss, criterion, *models)
    optimizer = optimizer_of(models)
    for x, y in loader:
        loss = models_with_loss(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


class TrainInTurnWithLoss(nn.Module):
    """Forward pass and loss of `train_in_turn`, exported to ONNX Runtime as one graph."""

    def __init__(self, *models):
        super().__init__()
        self.models = nn.ModuleList(models)

    def forward(self, weights, x, y):
        loss = 0
        for weight, model in zip(weights, self.models):
            loss = loss + weight * F.cross_entropy(model(x), y)
        return loss


def train_in_turn(models, loader, weights):
    models_with_loss = ort_module(TrainInTurnWithLoss, *models)
    optimizer = optimizer_of(models)
    for x, y in loader:
        loss = models_with_loss(weights, x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


batches = [(torch.randn(5, 4), torch.randint(0, 3, (5,))) for _ in range(3)]
members = [nn.Linear(4, 3), nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))]
train_apart(members, batches, nn.CrossEntropyLoss())
train_in_turn(members, batches, [0.25, 0.75])
members.append(nn.Linear(4, 3))
train_apart(members, batches, nn.CrossEntropyLoss())
