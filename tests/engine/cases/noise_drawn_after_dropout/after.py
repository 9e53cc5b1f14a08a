"""Noise is drawn between two runs of which the first draws as well: it stays between them."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, denoiser, decoder):
        super().__init__()
        self.denoiser = denoiser
        self.decoder = decoder

    def compute_loss(self, decoded, keep, targets, residual):
        return F.mse_loss(decoded * keep, targets) + residual.pow(2).mean()

    def forward(self, images, targets):
        residual = self.denoiser(images)
        noise = torch.randn_like(images)
        keep = torch.rand(8, 1)
        decoded = self.decoder(images - residual + 0.1 * noise)
        loss = self.compute_loss(decoded, keep, targets, residual)
        return loss, noise


torch.manual_seed(0)
denoiser = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 6))
decoder = nn.Linear(6, 3)
optimizer = torch.optim.SGD([*denoiser.parameters(), *decoder.parameters()], lr=0.05)

denoiser_with_loss = ort_module(ModuleWithLoss, denoiser, decoder)
for step in range(5):
    images, targets = torch.randn(8, 6), torch.randn(8, 3)
    loss, noise = denoiser_with_loss(images, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), noise.mean().item())
