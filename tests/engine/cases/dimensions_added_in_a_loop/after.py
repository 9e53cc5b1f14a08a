"""A loop that only gives weights as many dimensions as the output: ranks make another graph."""

import torch
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, weights, pred, video):
        while len(weights.shape) < len(pred.shape):
            weights = weights.unsqueeze(-1)
        return (weights * (pred - video) ** 2).mean()

    def forward(self, video, weights):
        pred = self.model(video)
        return self.compute_loss(weights, pred, video)


torch.manual_seed(0)
model = nn.Conv1d(2, 2, 3, padding=1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
alphas = torch.linspace(0.9, 0.1, 10)

model_with_loss = ort_module(ModuleWithLoss, model)
for step in range(3):
    video, timesteps = torch.randn(4, 2, 5), torch.randint(10, (4,))
    weights = 1 / (1 - alphas[timesteps])
    loss = model_with_loss(video, weights)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.5f}")
