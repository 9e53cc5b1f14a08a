"""Trap: a helper puts a term of the output among the losses, so that the output keeps its graph.

What only a metric reads is detached all the same.
"""

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(6, 16), nn.Linear(16, 3)

    def forward(self, x):
        features = torch.tanh(self.body(x))
        return self.head(features), features


def add_penalties(losses, features):
    losses["size"] = 0.1 * features.pow(2).mean()
    losses["label"] = 0.5 * losses["label"]


def accuracy(output, target):
    return (output.argmax(1) == target).float().mean().item()


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, output, targets):
        return {"label": self.criterion(output, targets)}

    def forward(self, inputs, targets):
        output, features = self.model(inputs)
        losses = self.compute_loss(output, targets)
        return losses, output.detach(), features


model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model_with_loss = ort_module(ModuleWithLoss, model, criterion)
for _ in range(4):
    inputs, targets = torch.randn(8, 6), torch.randint(3, (8,))
    losses, output, features = model_with_loss(inputs, targets)
    print(accuracy(output, targets))
    add_penalties(losses, features)
    loss = sum(losses.values())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
