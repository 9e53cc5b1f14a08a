"""Trap: an option and an attribute of the model that the loop itself sets decide how to compute."""

import torch
import torch.nn.functional as F
from torch import nn

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


args = Options()
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

for step in range(6):
    args.smooth = step >= 3
    net.temperature = 1.0 if step < 2 else 2.0
    x, y = torch.randn(4, 6), torch.randint(3, (4,))
    logits = net(x)
    loss = F.cross_entropy(logits, y)
    if args.smooth:
        loss = loss - args.weight * F.log_softmax(logits, dim=1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
