import torch
from torch import nn


class Config:
    size = 6

    def network(self, kind, inputs, outputs):
        net = kind(inputs, outputs).to("cpu")
        return net, torch.optim.SGD(net.parameters(), lr=0.1)


class Perceptron(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, outputs))

    def forward(self, x):
        return self.layers(x)


def describe(batch):
    smallest = batch.min().item()
    return f"{len(batch)} of at least {smallest:.3f}"
