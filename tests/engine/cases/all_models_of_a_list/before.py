"""An ensemble in a plain list: all of it is in the loss, and it grows once."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


def optimizer_of(nets):
    return torch.optim.SGD([p for net in nets for p in net.parameters()], lr=0.1)


def train_apart(models, loader, criterion):
    optimizer = optimizer_of(models)
    for x, y in loader:
        loss = sum(criterion(model(x), y) for model in models)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


def train_in_turn(models, loader, weights):
    optimizer = optimizer_of(models)
    for x, y in loader:
        loss = 0
        for weight, model in zip(weights, models):
            loss = loss + weight * F.cross_entropy(model(x), y)
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
