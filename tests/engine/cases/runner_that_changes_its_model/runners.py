import torch
from torch import nn


class Runner:
    """Trains a small model first and goes on with a larger one."""

    def __init__(self):
        self.criterion = nn.CrossEntropyLoss()
        self.correct = 0
        self._begin(8)

    def _begin(self, size):
        self.model = nn.Sequential(nn.Linear(6, size), nn.ReLU(), nn.Linear(size, 3))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def end_round(self, index):
        if index == 2:
            self._begin(12)
