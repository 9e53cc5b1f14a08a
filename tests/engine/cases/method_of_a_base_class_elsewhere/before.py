"""A term that a base class in another file computes, of a head that only that class knows of."""

import argparse

import torch
from solver import Solver
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(5, 6), nn.Tanh())
        self.classify = nn.Linear(6, 4)

    def forward(self, x):
        features = self.features(x)
        return self.classify(features), features


class ContrastiveSolver(Solver):
    def __init__(self, model, args):
        super().__init__(model, args.temperature)
        self.args = args
        self.criterion = nn.CrossEntropyLoss()
        weights = [*self.model.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.SGD(weights, lr=0.1)

    def train(self, batches):
        self.model.train()
        for x, y in batches:
            self.optimizer.zero_grad()
            scores, features = self.model(x)
            loss = self.criterion(scores, y)
            if self.args.contrast > 0:
                loss = loss + self.args.contrast * self.contrast(features, y)
            loss.backward()
            self.optimizer.step()
            print(f"{loss.item():.5f}")


batches = [(torch.randn(6, 5), torch.randint(0, 4, (6,))) for _ in range(4)]
solver = ContrastiveSolver(Net(), argparse.Namespace(contrast=0.5, temperature=0.7))
solver.train(batches)
