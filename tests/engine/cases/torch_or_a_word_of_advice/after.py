"""Trains a small classifier."""
import os

try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError:
    raise SystemExit("PyTorch is missing: pip install torch")

from ortwrap.runtime import ort_module

STEPS = int(os.environ.get("STEPS", "3"))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        return self.linear(x)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, y):
        return F.cross_entropy(self.net(x), y)


def main():
    torch.manual_seed(0)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    net_with_loss = ort_module(ModuleWithLoss, net)
    for _ in range(STEPS):
        x, y = torch.randn(5, 4), torch.randint(0, 2, (5,))
        loss = net_with_loss(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


main()
