"""Noise is drawn between two runs of which the first draws as well: it stays between them."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
denoiser = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 6))
decoder = nn.Linear(6, 3)
optimizer = torch.optim.SGD([*denoiser.parameters(), *decoder.parameters()], lr=0.05)

for step in range(5):
    images, targets = torch.randn(8, 6), torch.randn(8, 3)
    residual = denoiser(images)
    noise = torch.randn_like(images)
    keep = torch.rand(8, 1)
    decoded = decoder(images - residual + 0.1 * noise)
    loss = F.mse_loss(decoded * keep, targets) + residual.pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), noise.mean().item())
