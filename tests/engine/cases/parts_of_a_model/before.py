"""A step runs parts of a model under names of their own, and the model as a whole."""

import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(6, 12), nn.Tanh())
        self.heads = nn.ModuleList([nn.Linear(12, 3), nn.Linear(12, 1)])

    def forward(self, x):
        return self.heads[0](self.stem(x))


def train(net, batches):
    stem, rate = net.stem, net.heads[1]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for x, y in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        weight = rate(stem(x)).sigmoid()
        loss = loss + 0.1 * weight.mean()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")


train(Net(), [(torch.randn(8, 6), torch.randint(3, (8,))) for _ in range(5)])
