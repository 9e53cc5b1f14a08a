"""A scheduler that the loss asks: no graph takes it as an argument, so that the wrapper holds it.

The autoencoder is frozen where it is built, and a generator draws which prompts are dropped.
"""

import argparse
import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class NoiseScheduler:
    def __init__(self, prediction_type):
        self.prediction_type = prediction_type
        self.alphas_cumprod = torch.linspace(0.9, 0.1, 10)

    @classmethod
    def from_config(cls, prediction_type="v_prediction"):
        return cls(prediction_type)


def compute_snr(noise_scheduler, timesteps):
    alphas_cumprod = noise_scheduler.alphas_cumprod[timesteps]
    return alphas_cumprod / (1 - alphas_cumprod)


def main(args):
    vae = nn.Linear(6, 4).requires_grad_(False)
    unet = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4))
    noise_scheduler = copy.deepcopy(NoiseScheduler.from_config())
    generator = torch.Generator().manual_seed(args.seed)
    optimizer = torch.optim.AdamW(unet.parameters(), lr=0.01)
    for step in range(4):
        latents = vae(torch.randn(6, 6))
        if args.dropout is not None:
            latents = latents * (torch.rand(6, 1, generator=generator) > args.dropout)
        noise = torch.randn_like(latents)
        timesteps = torch.randint(10, (6,))
        model_pred = unet(latents + noise)

        if args.snr_gamma is None:
            loss = F.mse_loss(model_pred, noise)
        else:
            snr = compute_snr(noise_scheduler, timesteps)
            weights = torch.clamp(snr, max=args.snr_gamma) / snr
            if noise_scheduler.prediction_type == "v_prediction":
                weights = weights / (snr + 1)
            loss = (F.mse_loss(model_pred, noise, reduction="none").mean(1) * weights).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        print(f"{loss.item():.5f}")


main(argparse.Namespace(snr_gamma=5.0, dropout=0.1, seed=1))
