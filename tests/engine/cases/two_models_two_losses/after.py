"""Two networks compared side by side, each with its own optimizer."""
import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, net, loss_func):
        super().__init__()
        self.net = net
        self.loss_func = loss_func

    def compute_loss(self, output, y):
        return self.loss_func(output, y)

    def forward(self, x, y):
        output = self.net(x)
        return self.compute_loss(output, y)


torch.manual_seed(0)
net_small = nn.Linear(4, 1)
net_large = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt_small = torch.optim.SGD(net_small.parameters(), lr=0.05)
opt_large = torch.optim.SGD(net_large.parameters(), lr=0.05)
loss_func = nn.MSELoss()

for x, y in [(torch.randn(6, 4), torch.randn(6, 1)) for _ in range(3)]:
    for net, opt in ((net_small, opt_small), (net_large, opt_large)):
        net_with_loss = ort_module(ModuleWithLoss, net, loss_func)
        loss = net_with_loss(x, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        print(f"{loss.item():.5f}")
