"""Both models run before both losses: each loss moves up to its own call."""

import torch
from torch import nn
from ortwrap.runtime import ort_module


class NetAWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, net_a, loss_func):
        super().__init__()
        self.net_a = net_a
        self.loss_func = loss_func

    def compute_loss(self, pred_a, y):
        return self.loss_func(pred_a, y)

    def forward(self, x, y):
        pred_a = self.net_a(x)
        return self.compute_loss(pred_a, y)


class NetBWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, net_b, loss_func):
        super().__init__()
        self.net_b = net_b
        self.loss_func = loss_func

    def compute_loss(self, pred_b, y):
        return self.loss_func(pred_b, y)

    def forward(self, x, y):
        pred_b = self.net_b(x)
        return self.compute_loss(pred_b, y)


torch.manual_seed(0)
net_a = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))
net_b = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer_a = torch.optim.Adam(net_a.parameters(), lr=0.01)
optimizer_b = torch.optim.Adam(net_b.parameters(), lr=0.01)
loss_func = nn.MSELoss()
x, y = torch.randn(8, 1), torch.randn(8, 1)

net_a_with_loss = ort_module(NetAWithLoss, net_a, loss_func)
net_b_with_loss = ort_module(NetBWithLoss, net_b, loss_func)
for t in range(5):
    loss_a = net_a_with_loss(x, y)
    loss_b = net_b_with_loss(x, y)
    optimizer_a.zero_grad()
    optimizer_b.zero_grad()
    loss_a.backward()
    loss_b.backward()
    optimizer_a.step()
    optimizer_b.step()
    print(loss_a.item(), loss_b.item())
