"""Latents are sampled from an encoder of another training, then noise and time steps are drawn."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Gaussian:
    def __init__(self, mean):
        self.mean = mean

    def sample(self):
        return self.mean + 0.1 * torch.randn_like(self.mean)


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Linear(8, 4)

    def encode(self, x):
        return Gaussian(self.down(x))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix, self.time = nn.Linear(4, 4), nn.Embedding(10, 4)

    def forward(self, latents, timesteps):
        return self.mix(latents) + self.time(timesteps)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def compute_loss(self, pred, noise):
        return F.mse_loss(pred, noise)

    def forward(self, latents, noise, timesteps):
        pred = self.unet(latents + 0.5 * noise, timesteps)
        return self.compute_loss(pred, noise)


vae, unet = AutoEncoder(), UNet()
vae.load_state_dict(vae.state_dict())
optimizer = torch.optim.SGD(unet.parameters(), lr=0.1)

unet_with_loss = ort_module(ModuleWithLoss, unet)
for step in range(4):
    pixels = torch.randn(5, 8)
    latents = vae.encode(pixels).sample()
    noise = torch.randn_like(latents)
    timesteps = torch.randint(0, 10, (5,))
    loss = unet_with_loss(latents, noise, timesteps)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(vae.down.weight.grad.abs().sum().item() > 0)
