import argparse

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, pred, y):
        # which loss is a matter of the command line
        if args.loss == "mse":
            loss = F.mse_loss(pred, y)
        else:
            loss = F.mse_loss(pred, y) + 0.5 * (pred - y).abs().mean()
        if args.l1 > 0:
            loss = loss + args.l1 * pred.abs().mean()
        return loss

    def forward(self, x, y):
        pred = self.model(x)
        return self.compute_loss(pred, y)


parser = argparse.ArgumentParser()
parser.add_argument("--loss", default="huber")
parser.add_argument("--l1", type=float, default=0.01)
args = parser.parse_args([])
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model)
for x, y in [(torch.randn(6, 4), torch.randn(6, 2)) for _ in range(3)]:
    loss = model_with_loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
