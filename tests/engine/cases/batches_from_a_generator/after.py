"""Trap: `data_gen` is called like a generator network, but what it generates are batches."""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def inf_generator(iterable):
    iterator = iterable.__iter__()
    while True:
        try:
            yield iterator.__next__()
        except StopIteration:
            iterator = iterable.__iter__()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, logits, y):
        return self.criterion(logits, y)

    def forward(self, x, y):
        logits = self.model(x)
        return self.compute_loss(logits, y)


model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
data_gen = inf_generator([(torch.randn(6, 4), torch.randint(3, (6,))) for _ in range(2)])
model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for itr in range(5):
    optimizer.zero_grad()
    x, y = data_gen.__next__()
    loss = model_with_loss(x, y)
    loss.backward()
    optimizer.step()
    print(loss.item())
