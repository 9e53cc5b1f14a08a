"""Trap: the statement that the wrapper is made before shares its line with another."""

import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)


def train(model, teacher, optimizer, batches):
    model.train(); teacher.eval()
    for x in batches:
        with torch.no_grad():
            wanted = teacher(x)
        loss = F.mse_loss(model(x), wanted)
        optimizer.zero_grad(); loss.backward(); optimizer.step()
        print(loss.item())


student, teacher = nn.Linear(4, 3), nn.Linear(4, 3)
train(student, teacher, torch.optim.SGD(student.parameters(), 0.1), torch.randn(5, 8, 4))
