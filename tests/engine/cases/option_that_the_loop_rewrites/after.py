"""Trap: an option and an attribute of the model that the loop itself sets decide how to compute."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Options:
    smooth = False
    weight = 0.5


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 3)
        self.temperature = 1.0

    def forward(self, x):
        return self.linear(x) / self.temperature


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def compute_loss(self, logits, y, smooth, weight):
        loss = F.cross_entropy(logits, y)
        if smooth:
            loss = loss - weight * F.log_softmax(logits, dim=1).mean()
        return loss

    def forward(self, x, y, smooth, weight):
        logits = self.net(x)
        return self.compute_loss(logits, y, smooth, weight)


args = Options()
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

net_with_loss = ort_module(ModuleWithLoss, net)
for step in range(6):
    args.smooth = step >= 3
    net.temperature = 1.0 if step < 2 else 2.0
    x, y = torch.randn(4, 6), torch.randint(3, (4,))
    loss = net_with_loss(x, y, args.smooth, args.weight)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
