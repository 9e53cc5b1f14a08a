"""Inputs moved against the model: what a helper detaches is an input, whatever it ran before."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)

model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


class ModelWithLoss(nn.Module):
    """Forward pass and loss of `attack`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, inputs, targets):
        return F.cross_entropy(self.model(inputs), targets)


def attack(model, inputs, targets, epsilon=0.1):
    model_with_loss = ort_module(ModelWithLoss, model)
    inputs = inputs.clone().requires_grad_(True)
    loss = model_with_loss(inputs, targets)
    loss.backward()
    return (inputs + epsilon * inputs.grad.sign()).detach()


class ModelWithLoss2(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, criterion):
        super().__init__()
        self.model = model
        self.criterion = criterion

    def compute_loss(self, clean, targets, attacked):
        return self.criterion(clean, targets) + 0.5 * self.criterion(attacked, targets)

    def forward(self, inputs, adversarial, targets):
        clean, attacked = self.model(inputs), self.model(adversarial)
        loss = self.compute_loss(clean, targets, attacked)
        return loss, attacked.detach()


model_with_loss = ort_module(ModelWithLoss2, model, criterion)
for index in range(4):
    inputs, targets = torch.randn(8, 6), torch.randint(3, (8,))
    model.eval()
    adversarial = attack(model, inputs, targets)
    model.train()
    optimizer.zero_grad()
    loss, attacked = model_with_loss(inputs, adversarial, targets)
    loss.backward()
    optimizer.step()
    print(loss.item(), (attacked.argmax(dim=1) == targets).float().mean().item())
