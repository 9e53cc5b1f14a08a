"""Diffusion with prior preservation: what an option binds, a later branch on it reads.

The noise levels are looked up in a copy of the scheduler, by a function that knows the device.
"""

import argparse
import copy

import torch
from torch import nn

torch.manual_seed(0)


class NoiseScheduler:
    def __init__(self):
        self.sigmas = torch.linspace(1.0, 0.1, 10)


def main(args):
    transformer = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4))
    noise_scheduler = NoiseScheduler()
    noise_scheduler_copy = copy.deepcopy(noise_scheduler)
    device = torch.device("cpu")
    optimizer = torch.optim.AdamW(transformer.parameters(), lr=0.01)

    def get_sigmas(timesteps, n_dim=2):
        sigma = noise_scheduler_copy.sigmas.to(device)[timesteps]
        while len(sigma.shape) < n_dim:
            sigma = sigma.unsqueeze(-1)
        return sigma

    transformer.train()
    for step in range(4):
        latents = torch.randn(6, 4)
        noise = torch.randn_like(latents)
        timesteps = torch.randint(10, (6,))
        sigmas = get_sigmas(timesteps, n_dim=latents.ndim)
        noisy_latents = (1.0 - sigmas) * latents + sigmas * noise

        model_pred = transformer(noisy_latents)

        target = noise - latents
        if args.with_prior_preservation:
            # The second half of the batch shows the class, not the instance.
            model_pred, model_pred_prior = torch.chunk(model_pred, 2, dim=0)
            target, target_prior = torch.chunk(target, 2, dim=0)
            prior_loss = torch.mean((model_pred_prior - target_prior) ** 2)

        loss = torch.mean((model_pred - target) ** 2)

        if args.with_prior_preservation:
            # Add the prior loss to the instance loss.
            loss = loss + args.prior_loss_weight * prior_loss

        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        print(f"{loss.item():.5f}")


main(argparse.Namespace(with_prior_preservation=True, prior_loss_weight=0.5))
