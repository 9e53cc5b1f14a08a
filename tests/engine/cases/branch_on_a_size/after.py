import torch
import torch.nn as nn
import torch.nn.functional as F
from ortwrap.runtime import ort_module


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def compute_loss(self, image, target, latent):
        batch, channel, height, width = image.shape
        if height > 4:
            factor = height // 4

            image = image.reshape(batch, channel, height // factor, factor, width // factor, factor)
            image = image.mean([3, 5])
        return F.mse_loss(image, target) + 0.01 * latent.pow(2).mean()

    def forward(self, latent, target):
        image = self.generator(latent)
        return self.compute_loss(image, target, latent)


torch.manual_seed(0)
generator = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1))
latent = torch.randn(2, 1, 8, 8, requires_grad=True)
optimizer = torch.optim.Adam([latent], lr=0.1)
target = torch.zeros(2, 1, 4, 4)

generator_with_loss = ort_module(ModuleWithLoss, generator)
for step in range(3):
    loss = generator_with_loss(latent, target)

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print('%.5f' % loss.item())
