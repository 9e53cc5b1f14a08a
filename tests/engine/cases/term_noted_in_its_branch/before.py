"""A term that an option brings and that runs the model again: kept for a report, then added."""
import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--smooth", type=float, default=0.5)
parser.add_argument("--symmetric", action="store_true")
args = parser.parse_args([])

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
data = [(torch.randn(6, 4), torch.randint(0, 2, (6,))) for _ in range(4)]


def train(epoch):
    distances = []
    for x, y in data:
        logs = {}
        optimizer.zero_grad()
        out = model(x)
        loss = criterion(out, y)
        if args.smooth > 0:
            distance = (model(0.9 * x) - out).pow(2).mean()
            logs["distance"] = distance.item()
            distances.append(distance.item())
            # Weighed against the entropy.
            loss = loss + args.smooth * distance
        if args.symmetric:
            mirrored = criterion(model(-x), 1 - y)
            print(f"  mirrored {mirrored.item():.4f}")
            loss = loss + mirrored
        loss.backward()
        optimizer.step()
        logs["loss"] = loss.item()
        print({name: f"{value:.4f}" for name, value in logs.items()})
    print(f"epoch {epoch}: distance {sum(distances) / len(distances):.4f}")


for epoch in range(3):
    args.symmetric = epoch == 2
    train(epoch)
