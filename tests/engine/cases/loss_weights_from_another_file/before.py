"""Weights that an imported function computes between model and loss: its decorator may do anything.

It may draw random numbers as the model's dropout does, so that it keeps its place between them.
"""

import argparse

import torch
from torch import nn
from weighting import loss_weights

torch.manual_seed(0)


def main(args):
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Tanh(), nn.Linear(8, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(4):
        latents, noise = torch.randn(5, 4), torch.randn(5, 4)
        sigmas = torch.rand(5, 1)
        model_pred = model((1.0 - sigmas) * latents + sigmas * noise)

        # these weighting schemes weight the loss afterwards
        weighting = loss_weights(args.weighting_scheme, sigmas=sigmas)

        loss = (weighting * (model_pred - (noise - latents)) ** 2).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        print(f"{loss.item():.5f}")


main(argparse.Namespace(weighting_scheme="cosmap"))
