"""A loss of global options, which the script fills before it trains, and again for a second run."""
from types import SimpleNamespace

import torch
import torch.nn as nn


def distance(output, target):
    if options.loss == "cosine":
        return -torch.cosine_similarity(output, target, dim=1).mean() * options.scale
    return (output - target).abs().mean() * options.scale


def train(model, optimizer):
    for step in range(2):
        batch, target = torch.randn(4, 3), torch.randn(4, 2)
        loss = distance(model(batch), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print("%.5f" % loss.item())


if __name__ == "__main__":
    torch.manual_seed(0)
    options = SimpleNamespace()
    options.loss = "cosine"
    options.scale = 0.5

    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, optimizer)
    options = SimpleNamespace(loss="l1", scale=2.0)
    train(model, optimizer)
