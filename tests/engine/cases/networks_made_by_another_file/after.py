"""Networks and their optimizers come from a method of a class in another file."""

import torch
from config import Config, Perceptron, describe
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, P, criterion):
        super().__init__()
        self.P = P
        self.criterion = criterion

    def compute_loss(self, scores, y):
        return self.criterion(scores, y)

    def forward(self, x, y):
        scores = self.P(x)
        return self.compute_loss(scores, y)


def train(cfg: Config, batches):
    P, opt_P = cfg.network(Perceptron, cfg.size, 2)
    criterion = nn.BCEWithLogitsLoss()
    P_with_loss = ort_module(ModuleWithLoss, P, criterion)
    for x, y in batches:
        P.zero_grad()
        err_P = P_with_loss(x, y)
        print(describe(x))
        err_P.backward()
        opt_P.step()
        print(f"{err_P.item():.5f}")


train(Config(), [(torch.randn(5, 6), torch.rand(5, 2).round()) for _ in range(4)])
