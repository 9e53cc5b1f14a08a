"""Trap: a callback gives the runner another model, and nothing in `train` shows it."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Runner:
    def __init__(self):
        self.networks = [nn.Linear(3, 2), nn.Linear(3, 2)]
        self.round = 0

    @property
    def model(self):
        return self.networks[self.round % 2]

    def next_round(self, index):
        self.round = index


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, y):
        return nn.functional.mse_loss(self.model(x), y)


def train(runner, optimizer, batches, callbacks):
    for index, (x, y) in enumerate(batches):
        optimizer.zero_grad()
        model_with_loss = ort_module(ModuleWithLoss, runner.model)
        loss = model_with_loss(x, y)
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.5f}")
        for callback in callbacks:
            callback(index)


runner = Runner()
parameters = [each for network in runner.networks for each in network.parameters()]
batches = [(torch.randn(4, 3), torch.randn(4, 2)) for _ in range(5)]
train(runner, torch.optim.SGD(parameters, lr=0.1), batches, [runner.next_round])
