import torch
from torch import nn


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, x):
        return self.layers(x)

    def loss(self, x, goal):
        return ((self.forward(x) - goal) ** 2).mean()


def networks():
    G = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 6))
    D, E = Critic(), Critic()
    return G, D, E, *(torch.optim.SGD(net.parameters(), lr=0.05) for net in (G, D, E))
