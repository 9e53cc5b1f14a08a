"""Networks and their optimizers come from a method of a class in another file."""

import torch
from config import Config, Perceptron, describe
from torch import nn

torch.manual_seed(0)


def train(cfg: Config, batches):
    P, opt_P = cfg.network(Perceptron, cfg.size, 2)
    criterion = nn.BCEWithLogitsLoss()
    for x, y in batches:
        P.zero_grad()
        scores = P(x)
        print(describe(x))
        err_P = criterion(scores, y)
        err_P.backward()
        opt_P.step()
        print(f"{err_P.item():.5f}")


train(Config(), [(torch.randn(5, 6), torch.rand(5, 2).round()) for _ in range(4)])
