"""A helper inside of the training function reads what that function binds once, and its options."""

import argparse

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, penalty):
        super().__init__()
        self.model = model
        self.penalty = penalty

    def compute_loss(self, pred, y):
        return ((pred - y) ** 2).mean() + self.penalty(pred)

    def forward(self, x, y):
        pred = self.model(x)
        return self.compute_loss(pred, y)


def main(args):
    device = torch.device("cpu")
    model = nn.Linear(3, 3).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scale = torch.full((3,), args.scale, device=device)

    def penalty(pred):
        return args.weight * torch.relu(pred.abs() - scale).mean()

    model_with_loss = ort_module(ModuleWithLoss, model, penalty)
    for step in range(3):
        x, y = torch.randn(4, 3), torch.randn(4, 3)
        loss = model_with_loss(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


main(argparse.Namespace(weight=0.1, scale=0.5))
