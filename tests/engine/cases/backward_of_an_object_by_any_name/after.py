"""An object that is handed in runs backward; nothing here tells what it is."""

import torch
from precision import manager_for
from torch import nn
from torch.nn import functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def compute_loss(self, logits, y):
        return F.cross_entropy(logits, y)

    def forward(self, x, y):
        logits = self.net(x)
        return self.compute_loss(logits, y)


def train(net, optimizer, batches, manager):
    net_with_loss = ort_module(ModuleWithLoss, net)
    for x, y in batches:
        optimizer.zero_grad()
        loss = net_with_loss(x, y)
        manager.backward(loss)
        manager.step(optimizer)
        print(f"{loss.item():.4f}")


def main():
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    batches = [(torch.randn(5, 6), torch.randint(0, 3, (5,))) for _ in range(4)]
    train(net, optimizer, batches, manager_for("half"))


main()
