"""A term that a base class in another file computes, of a head that only that class knows of."""

import argparse

import torch
from solver import Solver
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(5, 6), nn.Tanh())
        self.classify = nn.Linear(6, 4)

    def forward(self, x):
        features = self.features(x)
        return self.classify(features), features


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `ContrastiveSolver.train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model, head, criterion, contrast):
        super().__init__()
        self.model = model
        self.head = head
        self.criterion = criterion
        self.contrast = contrast

    def compute_loss(self, scores, y, args_contrast, features):
        loss = self.criterion(scores, y)
        if args_contrast > 0:
            loss = loss + args_contrast * self.contrast(features, y)
        return loss

    def forward(self, x, y, args_contrast):
        scores, features = self.model(x)
        return self.compute_loss(scores, y, args_contrast, features)


class ContrastiveSolver(Solver):
    def __init__(self, model, args):
        super().__init__(model, args.temperature)
        self.args = args
        self.criterion = nn.CrossEntropyLoss()
        weights = [*self.model.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.SGD(weights, lr=0.1)

    def train(self, batches):
        model_with_loss = ort_module(
            ModuleWithLoss, self.model, self.head, self.criterion, self.contrast
        )
        self.model.train()
        for x, y in batches:
            self.optimizer.zero_grad()
            loss = model_with_loss(x, y, self.args.contrast)
            loss.backward()
            self.optimizer.step()
            print(f"{loss.item():.5f}")


batches = [(torch.randn(6, 5), torch.randint(0, 4, (6,))) for _ in range(4)]
solver = ContrastiveSolver(Net(), argparse.Namespace(contrast=0.5, temperature=0.7))
solver.train(batches)
