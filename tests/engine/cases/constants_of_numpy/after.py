"""numpy computes a constant of the loss, in the step and in a function of the file."""

import numpy as np
import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


def log_normal_pdf(x, mean, logvar):
    const = torch.from_numpy(np.array([2.0 * np.pi])).float().to(x.device)
    const = torch.log(const)
    return -0.5 * (const + logvar + (x - mean) ** 2.0 / torch.exp(logvar))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, y, mean, logvar):
        return -log_normal_pdf(y, mean, logvar).mean() + np.log(2) * mean.pow(2).mean()

    def forward(self, x, y):
        mean, logvar = self.model(x).chunk(2, 1)
        return self.compute_loss(y, mean, logvar)


model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model_with_loss = ort_module(ModuleWithLoss, model)
for i in range(4):
    x, y = torch.randn(6, 4), torch.randn(6, 1)
    loss = model_with_loss(x, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
