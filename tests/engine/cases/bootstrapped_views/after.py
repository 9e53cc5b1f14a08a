"""Trap: a target network with BatchNorm runs twice in a method, without gradients and in order."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `Bootstrap.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, predictor, online, target, update):
        super().__init__()
        self.predictor = predictor
        self.online = online
        self.target = target
        self.update = update

    def forward(self, first, second):
        return self.update(first, second)


class Bootstrap:
    def __init__(self, online, predictor):
        self.online = online
        self.target = copy.deepcopy(online)
        self.predictor = predictor
        parameters = [*online.parameters(), *predictor.parameters()]
        self.optimizer = torch.optim.SGD(parameters, lr=0.05, momentum=0.9)

    @staticmethod
    def regression_loss(x, y):
        return 2 - 2 * (F.normalize(x, dim=1) * F.normalize(y, dim=1)).sum(dim=-1)

    def update(self, first, second):
        first_predictions = self.predictor(self.online(first))
        second_predictions = self.predictor(self.online(second))
        with torch.no_grad():
            second_targets = self.target(first)
            first_targets = self.target(second)
        loss = self.regression_loss(first_predictions, first_targets)
        loss += self.regression_loss(second_predictions, second_targets)
        return loss.mean()

    @torch.no_grad()
    def follow(self, momentum=0.9):
        for ours, theirs in zip(self.target.parameters(), self.online.parameters()):
            ours.data = ours.data * momentum + theirs.data * (1.0 - momentum)

    def train(self, batches):
        predictor_with_loss = ort_module(
            ModuleWithLoss, self.predictor, self.online, self.target, self.update
        )
        for first, second in batches:
            loss = predictor_with_loss(first, second)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.follow()
            print(loss.item())


def mlp(inputs):
    return nn.Sequential(nn.Linear(inputs, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 8))


learner = Bootstrap(mlp(6), mlp(8))
learner.train([(torch.randn(8, 6), torch.randn(8, 6)) for _ in range(5)])
