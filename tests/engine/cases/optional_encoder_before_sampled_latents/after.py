"""A text encoder is trained by option, and latents and noise are drawn between it and the model."""

import torch
import torch.nn.functional as F
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Options:
    train_text_encoder = True


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
        self.mix = nn.Linear(4 + 4, 4)

    def forward(self, latents, embeds):
        return self.mix(torch.cat([latents, embeds], dim=1))


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def compute_loss(self, pred, noise):
        return F.mse_loss(pred, noise)

    def forward(self, latents, noise, prompt_embeds):
        pred = self.unet(latents + 0.5 * noise, prompt_embeds)
        return self.compute_loss(pred, noise)


args = Options()
vae, unet, text_encoder = AutoEncoder(), UNet(), nn.Embedding(10, 4)
vae.requires_grad_(False)
parameters = [*unet.parameters(), *text_encoder.parameters()]
optimizer = torch.optim.SGD(parameters, lr=0.1)
prompts = torch.arange(5)

with torch.no_grad():
    prompt_embeds = text_encoder(prompts)
unet_with_loss = ort_module(ModuleWithLoss, unet)
for step in range(4):
    pixels = torch.randn(5, 8)
    if args.train_text_encoder:
        prompt_embeds = text_encoder(prompts)
    latents = vae.encode(pixels).sample()
    noise = torch.randn_like(latents)
    loss = unet_with_loss(latents, noise, prompt_embeds)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), text_encoder.weight.abs().sum().item())
