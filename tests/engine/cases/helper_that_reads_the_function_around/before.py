"""A helper inside of the training function reads what that function binds once, and its options."""

import argparse

import torch
from torch import nn

torch.manual_seed(0)


def main(args):
    device = torch.device("cpu")
    model = nn.Linear(3, 3).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scale = torch.full((3,), args.scale, device=device)

    def penalty(pred):
        return args.weight * torch.relu(pred.abs() - scale).mean()

    for step in range(3):
        x, y = torch.randn(4, 3), torch.randn(4, 3)
        pred = model(x)
        loss = ((pred - y) ** 2).mean() + penalty(pred)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


main(argparse.Namespace(weight=0.1, scale=0.5))
