"""Trap: a target network with BatchNorm runs twice in a method, without gradients and in order."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


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
        for first, second in batches:
            loss = self.update(first, second)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.follow()
            print(loss.item())


def mlp(inputs):
    return nn.Sequential(nn.Linear(inputs, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 8))


learner = Bootstrap(mlp(6), mlp(8))
learner.train([(torch.randn(8, 6), torch.randn(8, 6)) for _ in range(5)])
