"""Diffusion with prior preservation: what an option binds, a later branch on it reads.

The noise levels are looked up in a copy of the scheduler, by a function that knows the device.
"""

import argparse
import copy

import torch
from torch import nn
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class NoiseScheduler:
    def __init__(self):
        self.sigmas = torch.linspace(1.0, 0.1, 10)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, transformer):
        super().__init__()
        self.transformer = transformer

    def compute_loss(
        self, with_prior_preservation, model_pred, target, prior_loss_weight
    ):
        if with_prior_preservation:
            # The second half of the batch shows the class, not the instance.
            model_pred, model_pred_prior = torch.chunk(model_pred, 2, dim=0)
            target, target_prior = torch.chunk(target, 2, dim=0)
            prior_loss = torch.mean((model_pred_prior - target_prior) ** 2)
        loss = torch.mean((model_pred - target) ** 2)
        if with_prior_preservation:
            # Add the prior loss to the instance loss.
            loss = loss + prior_loss_weight * prior_loss
        return loss

    def forward(
        self, noisy_latents, target, with_prior_preservation, prior_loss_weight
    ):
        model_pred = self.transformer(noisy_latents)
        return self.compute_loss(
            with_prior_preservation, model_pred, target, prior_loss_weight
        )


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
    transformer_with_loss = ort_module(ModuleWithLoss, transformer)
    for step in range(4):
        latents = torch.randn(6, 4)
        noise = torch.randn_like(latents)
        timesteps = torch.randint(10, (6,))
        sigmas = get_sigmas(timesteps, n_dim=latents.ndim)
        noisy_latents = (1.0 - sigmas) * latents + sigmas * noise

        target = noise - latents

        loss = transformer_with_loss(
            noisy_latents, target, args.with_prior_preservation, args.prior_loss_weight
        )

        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        print(f"{loss.item():.5f}")


main(argparse.Namespace(with_prior_preservation=True, prior_loss_weight=0.5))
