"""Diffusion: a frozen autoencoder and text encoder only prepare what the network is trained on.

The target of the loss follows the model call, chosen by the scheduler's configuration.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 4)

    def encode(self, pixels):
        return Normal(self.body(pixels), 0.1)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4 + 3 + 1, 4)

    def forward(self, latents, timesteps, states):
        steps = timesteps[:, None].float() / 10
        return self.body(torch.cat([latents, steps, states], 1))


class NoiseScheduler:
    prediction_type = "v_prediction"

    def add_noise(self, latents, noise, timesteps):
        return latents + noise * timesteps[:, None] / 10

    def get_velocity(self, latents, noise, timesteps):
        return noise - latents * timesteps[:, None] / 10


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of the training step, exported to ONNX Runtime as one graph."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def compute_loss(self, model_pred, target):
        return F.mse_loss(model_pred.float(), target.float(), reduction="mean")

    def forward(self, noisy_latents, timesteps, encoder_hidden_states, target):
        # Predict the noise residual
        model_pred = self.unet(noisy_latents, timesteps, encoder_hidden_states)
        return self.compute_loss(model_pred, target)


vae, text_encoder, unet = Autoencoder(), nn.Embedding(20, 3), Denoiser()
vae.requires_grad_(False)
for param in text_encoder.parameters():
    param.requires_grad = False
noise_scheduler = NoiseScheduler()
optimizer = torch.optim.AdamW(unet.parameters(), lr=0.01)
unet.train()
unet_with_loss = ort_module(ModuleWithLoss, unet)
for step in range(4):
    batch = {"pixel_values": torch.randn(5, 6), "input_ids": torch.randint(20, (5,))}
    # Convert images to latent space
    latents = vae.encode(batch["pixel_values"]).sample() * 0.18

    noise = torch.randn_like(latents)
    timesteps = torch.randint(1, 10, (latents.shape[0],))
    noisy_latents = noise_scheduler.add_noise(latents, noise, timesteps)

    # Get the text embedding for conditioning
    encoder_hidden_states = text_encoder(batch["input_ids"])

    # Get the target for loss depending on the prediction type
    if noise_scheduler.prediction_type == "epsilon":
        target = noise
    elif noise_scheduler.prediction_type == "v_prediction":
        target = noise_scheduler.get_velocity(latents, noise, timesteps)
    else:
        raise ValueError(f"Unknown prediction type {noise_scheduler.prediction_type}")
    loss = unet_with_loss(noisy_latents, timesteps, encoder_hidden_states, target)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    print(loss.item())
