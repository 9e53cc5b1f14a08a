"""Inputs moved against the model: what a helper detaches is an input, whatever it ran before."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def attack(model, inputs, targets, epsilon=0.1):
    inputs = inputs.clone().requires_grad_(True)
    loss = F.cross_entropy(model(inputs), targets)
    loss.backward()
    return (inputs + epsilon * inputs.grad.sign()).detach()


for index in range(4):
    inputs, targets = torch.randn(8, 6), torch.randint(3, (8,))
    model.eval()
    adversarial = attack(model, inputs, targets)
    model.train()
    optimizer.zero_grad()
    clean, attacked = model(inputs), model(adversarial)
    loss = criterion(clean, targets) + 0.5 * criterion(attacked, targets)
    loss.backward()
    optimizer.step()
    print(loss.item(), (attacked.argmax(dim=1) == targets).float().mean().item())
