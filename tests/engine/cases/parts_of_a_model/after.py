"""A step runs parts of a model under names of their own, and the model as a whole."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(6, 12), nn.Tanh())
        self.heads = nn.ModuleList([nn.Linear(12, 3), nn.Linear(12, 1)])

    def forward(self, x):
        return self.heads[0](self.stem(x))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, net, rate, stem):
        super().__init__()
        self.net = net
        self.rate = rate
        self.stem = stem

    def compute_loss(self, loss, weight):
        return loss + 0.1 * weight.mean()

    def forward(self, x, y):
        loss = nn.functional.cross_entropy(self.net(x), y)
        weight = self.rate(self.stem(x)).sigmoid()
        return self.compute_loss(loss, weight)


def train(net, batches):
    stem, rate = net.stem, net.heads[1]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net_with_loss = ort_module(ModuleWithLoss, net, rate, stem)
    for x, y in batches:
        optimizer.zero_grad()
        loss = net_with_loss(x, y)
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


train(Net(), [(torch.randn(8, 6), torch.randint(3, (8,))) for _ in range(5)])
