"""A training step is given to a class of another library as one of its methods."""

import types

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `fit`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y):
        return F.cross_entropy(self.model(x), y)


def fit(self, x, y):
    model_with_loss = ort_module(ModuleWithLoss, self)
    self.train()
    self.optimizer.zero_grad()
    loss = model_with_loss(x, y)
    loss.backward()
    self.optimizer.step()
    return loss.item()


net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
net.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
net.fit = types.MethodType(fit, net)

for _ in range(4):
    print(f"{net.fit(torch.randn(5, 6), torch.randint(0, 3, (5,))):.4f}")
