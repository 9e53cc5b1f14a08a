"""Trap: the statement that the wrapper is made before shares its line with another."""

import torch
from torch import nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `train`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x, wanted):
        return F.mse_loss(self.model(x), wanted)


def train(model, teacher, optimizer, batches):
    model_with_loss = ort_module(ModuleWithLoss, model)
    model.train(); teacher.eval()
    for x in batches:
        with torch.no_grad():
            wanted = teacher(x)
        loss = model_with_loss(x, wanted)
        optimizer.zero_grad(); loss.backward(); optimizer.step()
        print(loss.item())


student, teacher = nn.Linear(4, 3), nn.Linear(4, 3)
train(student, teacher, torch.optim.SGD(student.parameters(), 0.1), torch.randn(5, 8, 4))
