"""A training step is given to a class of another library as one of its methods."""

import types

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


def fit(self, x, y):
    self.train()
    self.optimizer.zero_grad()
    loss = F.cross_entropy(self(x), y)
    loss.backward()
    self.optimizer.step()
    return loss.item()


net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
net.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
net.fit = types.MethodType(fit, net)

for _ in range(4):
    print(f"{net.fit(torch.randn(5, 6), torch.randint(0, 3, (5,))):.4f}")
