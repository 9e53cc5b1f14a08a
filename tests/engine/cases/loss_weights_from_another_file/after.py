"""Weights that an imported function computes between model and loss: its decorator may do anything.

It may draw random numbers as the model's dropout does, so that it keeps its place between them.
"""

import argparse

import torch
from torch import nn
from weighting import loss_weights
from ortwrap.runtime import ort_module

torch.manual_seed(0)


class ModuleWithLoss(nn.Module):
    """Forward pass and loss of `main`, exported to ONNX Runtime as one graph."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def compute_loss(self, weighting_scheme, sigmas, model_pred, noise, latents):
        # these weighting schemes weight the loss afterwards
        weighting = loss_weights(weighting_scheme, sigmas=sigmas)
        return (weighting * (model_pred - (noise - latents)) ** 2).mean()

    def forward(self, sigmas, latents, noise, weighting_scheme):
        model_pred = self.model((1.0 - sigmas) * latents + sigmas * noise)
        return self.compute_loss(weighting_scheme, sigmas, model_pred, noise, latents)


def main(args):
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Tanh(), nn.Linear(8, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model_with_loss = ort_module(ModuleWithLoss, model)
    for step in range(4):
        latents, noise = torch.randn(5, 4), torch.randn(5, 4)
        sigmas = torch.rand(5, 1)

        loss = model_with_loss(sigmas, latents, noise, args.weighting_scheme)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        print(f"{loss.item():.5f}")


main(argparse.Namespace(weighting_scheme="cosmap"))
