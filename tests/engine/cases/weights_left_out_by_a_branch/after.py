"""A branch binds weights only if it is taken; what they were before it goes into forward too."""

import argparse

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, preconditioned, pred, x, y):
        weighting = None
        if preconditioned:
            pred = pred * 2 + x
            weighting = (x**2).mean(1, keepdim=True)
        if weighting is not None:
            loss = (weighting * (pred - y) ** 2).mean()
        else:
            loss = F.mse_loss(pred, y)
        return loss

    def forward(self, x, preconditioned, y):
        pred = self.model(x)
        return self.compute_loss(preconditioned, pred, x, y)


def main(args):
    model = nn.Linear(3, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model_with_loss = ort_module(ModuleWithLoss, model)
    for step in range(3):
        x, y = torch.randn(4, 3), torch.randn(4, 3)

        loss = model_with_loss(x, args.preconditioned, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


main(argparse.Namespace(preconditioned=False))
main(argparse.Namespace(preconditioned=True))
