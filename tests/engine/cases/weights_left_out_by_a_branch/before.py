"""A branch binds weights only if it is taken; what they were before it goes into forward too."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


def main(args):
    model = nn.Linear(3, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(3):
        x, y = torch.randn(4, 3), torch.randn(4, 3)
        pred = model(x)

        weighting = None
        if args.preconditioned:
            pred = pred * 2 + x
            weighting = (x**2).mean(1, keepdim=True)

        if weighting is not None:
            loss = (weighting * (pred - y) ** 2).mean()
        else:
            loss = F.mse_loss(pred, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


main(argparse.Namespace(preconditioned=False))
main(argparse.Namespace(preconditioned=True))
