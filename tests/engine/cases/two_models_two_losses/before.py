"""Two networks compared side by side, each with its own optimizer."""
import torch
from torch import nn

torch.manual_seed(0)
net_small = nn.Linear(4, 1)
net_large = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt_small = torch.optim.SGD(net_small.parameters(), lr=0.05)
opt_large = torch.optim.SGD(net_large.parameters(), lr=0.05)
loss_func = nn.MSELoss()

for x, y in [(torch.randn(6, 4), torch.randn(6, 1)) for _ in range(3)]:
    for net, opt in ((net_small, opt_small), (net_large, opt_large)):
        output = net(x)
        loss = loss_func(output, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        print(f"{loss.item():.5f}")
