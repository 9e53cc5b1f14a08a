"""Both models run before both losses: each loss moves up to its own call."""

import torch
from torch import nn

torch.manual_seed(0)
net_a = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))
net_b = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer_a = torch.optim.Adam(net_a.parameters(), lr=0.01)
optimizer_b = torch.optim.Adam(net_b.parameters(), lr=0.01)
loss_func = nn.MSELoss()
x, y = torch.randn(8, 1), torch.randn(8, 1)

for t in range(5):
    pred_a = net_a(x)
    pred_b = net_b(x)
    loss_a = loss_func(pred_a, y)
    loss_b = loss_func(pred_b, y)
    optimizer_a.zero_grad()
    optimizer_b.zero_grad()
    loss_a.backward()
    loss_b.backward()
    optimizer_a.step()
    optimizer_b.step()
    print(loss_a.item(), loss_b.item())
