"""A term that an option brings and that runs the model again: kept for a report, then added."""
import argparse

import torch
from torch import nn
from ortwrap.runtime import ort_module

parser = argparse.ArgumentParser()
parser.add_argument("--smooth", type=float, default=0.5)
parser.add_argument("--symmetric", action="store_true")
args = parser.parse_args([])

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
data = [(torch.randn(6, 4), torch.randint(0, 2, (6,))) for _ in range(4)]


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def forward(self, x, y, symmetric):
        out = self.model(x)
        loss = self.criterion(out, y)
        distance = None
        if args.smooth > 0:
            distance = (self.model(0.9 * x) - out).pow(2).mean()
            # Weighed against the entropy.
            loss = loss + args.smooth * distance
        mirrored = None
        if symmetric:
            mirrored = self.criterion(self.model(-x), 1 - y)
            loss = loss + mirrored
        return loss, distance, mirrored


def train(epoch):
    model_with_loss = ort_module(ModuleWithLoss, model, criterion)
    distances = []
    for x, y in data:
        logs = {}
        optimizer.zero_grad()
        loss, distance, mirrored = model_with_loss(x, y, args.symmetric)
        if args.smooth > 0:
            logs["distance"] = distance.item()
            distances.append(distance.item())
        if args.symmetric:
            print(f"  mirrored {mirrored.item():.4f}")
        loss.backward()
        optimizer.step()
        logs["loss"] = loss.item()
        print({name: f"{value:.4f}" for name, value in logs.items()})
    print(f"epoch {epoch}: distance {sum(distances) / len(distances):.4f}")


for epoch in range(3):
    args.symmetric = epoch == 2
    train(epoch)
