"""Trap: `.detach()`, `.data` and `no_grad` on the way to the loss stop the gradient where they stand."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model, teacher):
        super().__init__()
        self.model = model
        self.teacher = teacher

    def compute_loss(self, logits, soft):
        confidence = F.softmax(logits.data, dim=1).max(1)[0]
        target = F.one_hot(logits.detach().argmax(1), 3).float()
        loss = F.mse_loss(logits, target) + F.kl_div(
            F.log_softmax(logits, 1), soft, reduction="batchmean"
        )
        return loss + (confidence * logits.pow(2).mean(1)).mean()

    def forward(self, x):
        logits = self.model(x)
        with torch.no_grad():
            soft = F.softmax(self.teacher(x) + logits, dim=1)
        return self.compute_loss(logits, soft)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
teacher = nn.Linear(6, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

model_with_loss = ort_module(ModuleWithLoss, model, teacher)
for step in range(5):
    x = torch.randn(4, 6)
    loss = model_with_loss(x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
